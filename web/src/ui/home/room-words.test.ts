import { expect, test } from "vitest";
import { languages } from "../i18n/language.ts";
import { suggestRoom } from "./room-words.ts";

test.each(languages)("every suggestion in %s is two words, whatever the dice say", (language) => {
  for (const roll of [0, 0.25, 0.5, 0.999999]) {
    expect(suggestRoom(language, () => roll)).toMatch(/^\p{L}+-\p{L}+$/u);
  }
});

test("in the language of the page", () => {
  expect(suggestRoom("ko")).toMatch(/[가-힣]/);
  expect(suggestRoom("en")).toMatch(/^[a-z-]+$/);
});
