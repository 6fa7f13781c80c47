import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, expect, test, vi } from "vitest";
import type { RoomSummary } from "../../client/index.ts";
import { SpeechProvider } from "../i18n/context.tsx";
import { ElsewhereRow } from "./elsewhere-row.tsx";

afterEach(() => vi.unstubAllGlobals());

const room: RoomSummary = {
  name: "tea",
  participants: 2,
  capacity: 2,
  locked: false,
  dialect: "video-chat",
};

function drawn(language: string, shown: RoomSummary): string {
  vi.stubGlobal("navigator", { languages: [language] });
  return renderToStaticMarkup(
    <SpeechProvider>
      <ElsewhereRow room={shown} />
    </SpeechProvider>,
  );
}

test.each([
  ["en", "tea, In another app, 2 people"],
  ["ko", "tea, 다른 앱에서, 2명"],
])("is read out whole in %s", (language, words) => {
  const heard = drawn(language, room)
    .replace(/<span aria-hidden="true">.*?<\/span>/, "")
    .replace(/<[^>]*>/g, "");
  expect(heard).toBe(words);
});

test("leads nowhere, and is none of the rooms that can be joined", () => {
  const markup = drawn("en", room);
  expect(markup).not.toMatch(/<a\b|<button\b|tabindex|room-item/i);
  expect(markup).toContain('data-room="tea"');
});

test("one person is not people", () => {
  expect(drawn("en", { ...room, participants: 1 })).toContain("1 person<");
});
