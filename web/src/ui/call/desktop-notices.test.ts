import type { ChatMessage } from "moim-client";
import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { desktopNotices } from "./desktop-notices.ts";

const self = { id: "s" } as Parameters<typeof desktopNotices>[0]["self"];
const none = { chat: [], self, waiting: [] };
const message = (key: string, from: string, text: string): ChatMessage => ({
  key,
  from,
  name: from === "s" ? "Me" : "Ada",
  text,
  at: 0,
  status: "sent",
});

test("a message of another participant is shown, one's own and earlier ones are not", () => {
  const hello = message("1", "a", "hello");
  expect(desktopNotices(none, { ...none, chat: [hello] }, en)).toEqual([
    { panel: "chat", text: "Ada: hello" },
  ]);
  expect(desktopNotices(none, { ...none, chat: [message("1", "s", "hi")] }, en)).toEqual([]);
  expect(desktopNotices(none, { ...none, chat: [{ ...hello, earlier: true }] }, en)).toEqual([]);
  const known = { ...none, chat: [hello] };
  expect(desktopNotices(known, { ...none, chat: [{ ...hello }] }, en)).toEqual([]);
});

test("of several messages the last counts, and a long one is clipped", () => {
  const chat = [message("1", "a", "first"), message("2", "a", "x".repeat(2000))];
  const [notice, ...others] = desktopNotices(none, { ...none, chat }, en);
  expect(others).toEqual([]);
  expect(notice?.text).toMatch(/^Ada: x+…$/);
  expect(notice?.text.length).toBeLessThan(200);
});

test("whoever comes to wait is shown once", () => {
  const ada = { id: "a", name: "Ada" } as (typeof none.waiting)[number];
  const grace = { id: "g", name: "Grace" } as (typeof none.waiting)[number];
  const one = { ...none, waiting: [ada] };
  expect(desktopNotices(none, one, en)).toEqual([
    { panel: "people", text: en.people.wantsToJoin("Ada") },
  ]);
  expect(desktopNotices(one, { ...one, waiting: [ada, grace] }, en)).toEqual([
    { panel: "people", text: en.people.manyWantToJoin(2) },
  ]);
  expect(desktopNotices({ ...one, waiting: [ada, grace] }, one, en)).toEqual([]);
});
