import type { RoomSummary } from "moim-client";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { I18nProvider } from "../i18n/context.tsx";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { OtherAppRow } from "./other-app-row.tsx";

const catalogues = { en, ko };

const room: RoomSummary = {
  name: "tea",
  participants: 2,
  capacity: 2,
  locked: false,
  dialect: "video-chat",
};

function render(language: keyof typeof catalogues, room: RoomSummary): string {
  return renderToStaticMarkup(
    <I18nProvider initial={{ language, t: catalogues[language] }}>
      <OtherAppRow room={room} />
    </I18nProvider>,
  );
}

test.each([
  ["en", "tea, In another app, 2 people"],
  ["ko", "tea, 다른 앱의 방, 2명"],
] as const)("is accessible as one sentence in %s", (language, expected) => {
  const text = render(language, room)
    .replace(/<span aria-hidden="true">.*?<\/span>/, "")
    .replace(/<[^>]*>/g, "");
  expect(text).toBe(expected);
});

test("is neither a link nor listed as a joinable room", () => {
  const markup = render("en", room);
  expect(markup).not.toMatch(/<a\b|<button\b|tabindex|room-item/i);
  expect(markup).toContain('data-room="tea"');
});

test("uses the singular for one person", () => {
  expect(render("en", { ...room, participants: 1 })).toContain("1 person<");
});
