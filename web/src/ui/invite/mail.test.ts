import { expect, test } from "vitest";
import { mailLink } from "./mail.ts";

test("nothing in a text adds a field to the mail", () => {
  const link = mailLink(
    "tea & milk?cc=eve@evil.example",
    "Join here:\nhttps://m.example/r/a?b=c&d",
  );
  expect(link).toBe(
    "mailto:?subject=tea%20%26%20milk%3Fcc%3Deve%40evil.example" +
      "&body=Join%20here%3A%0D%0Ahttps%3A%2F%2Fm.example%2Fr%2Fa%3Fb%3Dc%26d",
  );
  const fields = new URLSearchParams(link.slice("mailto:?".length));
  expect([...fields.keys()]).toEqual(["subject", "body"]);
});
