import { expect, test } from "vitest";
import { languages } from "../i18n/language.ts";
import { suggestRoomName } from "./room-names.ts";

test.each(languages)("a suggestion in %s is always two words and two groups", (language) => {
  for (const roll of [0, 0.25, 0.5, 0.999999]) {
    expect(suggestRoomName(language, () => roll)).toMatch(
      /^\p{L}+-\p{L}+-[a-z0-9]{4}-[a-z0-9]{4}$/u,
    );
  }
});

test("a suggestion is in the page's language", () => {
  expect(suggestRoomName("ko")).toMatch(/[가-힣]/);
  expect(suggestRoomName("en")).toMatch(/^[a-z-]+-[a-z0-9]+-[a-z0-9]+$/);
});

test("suggestions hardly ever repeat: a stranger can't guess the name of a room", () => {
  const names = new Set(Array.from({ length: 5_000 }, () => suggestRoomName("en")));
  expect(names.size).toBe(5_000);
});
