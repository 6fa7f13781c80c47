import { expect, test } from "vitest";
import { linkify } from "./linkify.ts";

const ORIGIN = "https://meet.example";
const parse = (text: string) => linkify(text, ORIGIN);
const links = (text: string) => parse(text).flatMap(({ href }) => href ?? []);

test("a text without URLs is one part, including markup", () => {
  const text = '<a href="javascript:alert(1)">no</a> & <script>';
  expect(parse(text)).toEqual([{ text }]);
  expect(parse("")).toEqual([]);
});

test.each([
  ["see https://example.org/a?b=c#d now", "https://example.org/a?b=c#d"],
  ["(https://example.org/x)", "https://example.org/x"],
  ["https://example.org/a_(b)", "https://example.org/a_(b)"],
  ["read https://example.org.", "https://example.org/"],
  ["여기예요 https://example.org/모임!", "https://example.org/%EB%AA%A8%EC%9E%84"],
])("the link in “%s” leads to %s", (text, href) => {
  expect(links(text)).toEqual([href]);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,hi",
  "ftp://example.org",
  "https://",
  "https://good.example@evil.example/",
  "xhttps://example.org",
])("“%s” contains no link", (text) => {
  expect(links(text)).toEqual([]);
});

test("the concatenated parts are the text", () => {
  const text = "a https://b.example/c, (https://d.example) and https://e.example/f) g";
  expect(
    parse(text)
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
  expect(links(text)).toHaveLength(3);
});

test("a link to this server leads there without its query, and any other one stays", () => {
  const query = "?join=1&mic=1&camera=1&name=Eve";
  expect(parse(`Look: ${ORIGIN}/r/evil${query}#k=abc`)).toEqual([
    { text: "Look: " },
    { text: `${ORIGIN}/r/evil${query}#k=abc`, href: `${ORIGIN}/r/evil#k=abc` },
  ]);
  expect(links(`HTTPS://MEET.EXAMPLE:443/r/evil${query}`)).toEqual([`${ORIGIN}/r/evil`]);
  expect(links(`https://other.example/r/tea${query}`)).toEqual([
    `https://other.example/r/tea${query}`,
  ]);
});
