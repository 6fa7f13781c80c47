import { expect, test } from "vitest";
import { pluralIn } from "./plural.ts";

test("English has two forms", () => {
  const forms = { one: "# person", other: "# people" };
  expect([0, 1, 2].map((count) => pluralIn("en")(count, forms))).toEqual([
    "0 people",
    "1 person",
    "2 people",
  ]);
});

test("a language with more forms chooses among them, and one without has the last", () => {
  const forms = { one: "# osoba", few: "# osoby", many: "# osób", other: "# osoby" };
  expect([1, 3, 5].map((count) => pluralIn("pl")(count, forms))).toEqual([
    "1 osoba",
    "3 osoby",
    "5 osób",
  ]);
  expect(pluralIn("ko")(1, { other: "#명" })).toBe("1명");
});
