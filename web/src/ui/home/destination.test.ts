import { expect, test } from "vitest";
import { isLink, parseDestination } from "./destination.ts";

const parse = (text: string) => parseDestination(text, "https://meet.example:4000");

test("links of this server lead to their room, without the query", () => {
  for (const text of [
    "https://meet.example:4000/r/tea",
    "  https://meet.example:4000/r/tea/?name=Eve&join=1 ",
    "Come: https://meet.example:4000/r/tea. See you!",
    "meet.example:4000/r/tea",
    "/r/tea",
    "r/tea",
    "tea",
  ]) {
    expect(parse(text)).toEqual({ kind: "room", path: "/r/tea" });
  }
});

test("a link, also a broken one, is no name of a new room", () => {
  for (const text of [
    "https://meet.example:4000/r/tea",
    "Come: https://other.example/r/tea !",
    "meet.example:4000/r/tea",
    " /r/tea",
    "r/tea",
    "https://",
  ]) {
    expect(isLink(text, "https://meet.example:4000"), text).toBe(true);
  }
  for (const text of ["", "tea", "tea at four", "meet.example", "r", "http", "하늘/바다"]) {
    expect(isLink(text, "https://meet.example:4000"), text).toBe(false);
  }
});

test("an invitation and a token stay, another fragment does not", () => {
  expect(parse("https://meet.example:4000/r/tea#k=abc_-9")).toEqual({
    kind: "room",
    path: "/r/tea#k=abc_-9",
  });
  expect(parse("(https://meet.example:4000/r/tea#token=a.b.c)")).toEqual({
    kind: "room",
    path: "/r/tea#token=a.b.c",
  });
  expect(parse("https://meet.example:4000/r/tea#top")).toEqual({ kind: "room", path: "/r/tea" });
});

test("names of all scripts are codes", () => {
  expect(parse("다정한 부엉이")).toEqual({
    kind: "room",
    path: `/r/${encodeURIComponent("다정한 부엉이")}`,
  });
  expect(parse("a/b")).toEqual({ kind: "room", path: "/r/a%2Fb" });
});

test("a room of another server is named with its host", () => {
  expect(parse("https://other.example/r/tea?name=Eve#k=x")).toEqual({
    kind: "elsewhere",
    url: "https://other.example/r/tea#k=x",
    host: "other.example",
  });
});

test("what is no room's link or name leads nowhere", () => {
  for (const text of [
    "",
    "  ",
    "..",
    "https://meet.example:4000/",
    "https://meet.example:4000/admin",
    "https://other.example/",
    "https://",
  ]) {
    expect(parse(text), text).toEqual({ kind: "none" });
  }
  expect(parse("javascript:alert(1)").kind).toBe("room");
});
