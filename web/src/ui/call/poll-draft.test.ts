import { expect, test } from "vitest";
import { askOf, duplicateOf, EMPTY_DRAFT, MAX_OPTIONS, withOption } from "./poll-draft.ts";

const written = (...options: string[]) =>
  options.reduce((draft, text, place) => withOption(draft, place, text), {
    ...EMPTY_DRAFT,
    question: " Lunch? ",
  });

test("a blank option follows the last one, up to the limit", () => {
  expect(written("Noodles").options).toEqual(["Noodles", ""]);
  expect(written("Noodles", "Rice").options).toEqual(["Noodles", "Rice", ""]);
  const full = written(...Array.from({ length: MAX_OPTIONS }, (_, n) => `${n}`));
  expect(full.options).toHaveLength(MAX_OPTIONS);
  expect(full.options.at(-1)).toBe("9");
});

test("options that are emptied at the end go away, and others stay in their places", () => {
  const three = written("Noodles", "Rice", "Soup");
  expect(withOption(three, 2, "").options).toEqual(["Noodles", "Rice", ""]);
  expect(withOption(three, 1, "").options).toEqual(["Noodles", "", "Soup", ""]);
});

test("what is asked has no blank options, and nothing is asked before it is complete", () => {
  expect(askOf(withOption(written("Noodles", "Rice", "Soup"), 1, " "))).toEqual({
    question: "Lunch?",
    options: ["Noodles", "Soup"],
    multiple: false,
    named: false,
  });
  expect(askOf(written("Noodles"))).toBeNull();
  expect(askOf({ ...written("Noodles", "Rice"), question: " " })).toBeNull();
  expect(askOf(written("Noodles", "a".repeat(201)))).toBeNull();
  expect(askOf(written("Noodles", "모".repeat(200)))).not.toBeNull();
});

test("the second of two equal options is named", () => {
  const twice = written("Noodles", "Rice", " Noodles ");
  expect(duplicateOf(twice.options)).toBe(2);
  expect(askOf(twice)).toBeNull();
  expect(duplicateOf(written("Noodles", "Rice").options)).toBeNull();
});
