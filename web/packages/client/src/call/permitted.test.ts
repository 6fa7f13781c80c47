import { expect, test } from "vitest";
import type { Policy, Role } from "../protocol.ts";
import {
  mayChat,
  mayChatPrivately,
  mayPoll,
  mayPublish,
  mayReceive,
  maySendFiles,
  mediaRights,
} from "./permitted.ts";

const OPEN: Policy = {
  entry: "open",
  chat: "everybody",
  screen: "everybody",
  newcomers: "speaker",
};
const STRICT: Policy = { ...OPEN, chat: "hosts", screen: "hosts" };
const as = (role: Role | undefined, policy: Policy | null) => ({
  policy,
  self: role ? { role } : {},
});

test("a room without hosts permits everything", () => {
  expect(mayPublish(as(undefined, null), "screen")).toBe(true);
  expect(mayChat(as(undefined, null))).toBe(true);
});

test("a viewer publishes nothing, and chats where all may", () => {
  for (const source of ["microphone", "camera", "screen"] as const) {
    expect(mayPublish(as("viewer", OPEN), source)).toBe(false);
  }
  expect(mayChat(as("viewer", OPEN))).toBe(true);
});

test("a policy binds all but hosts", () => {
  for (const role of ["speaker", "co_host", "host"] as const) {
    expect(mayPublish(as(role, STRICT), "camera")).toBe(true);
    expect(mayPublish(as(role, STRICT), "screen")).toBe(role !== "speaker");
    expect(mayChat(as(role, STRICT))).toBe(role !== "speaker");
  }
});

test("hosts may limit private messages to those with hosts, and chat rules them all", () => {
  const rule: Policy = { ...OPEN, private: "hosts" };
  for (const to of [undefined, "viewer", "speaker", "co_host", "host"] as const) {
    const isHost = to === "co_host" || to === "host";
    expect(mayChatPrivately(as("speaker", OPEN), to ? { role: to } : {})).toBe(true);
    expect(mayChatPrivately(as("speaker", rule), to ? { role: to } : {})).toBe(isHost);
    expect(mayChatPrivately(as("co_host", rule), to ? { role: to } : {})).toBe(true);
    expect(mayChatPrivately(as("speaker", STRICT), to ? { role: to } : {})).toBe(false);
  }
});

test("files follow the chat, and hosts may keep them to themselves", () => {
  const rule: Policy = { ...OPEN, files: "hosts" };
  expect(maySendFiles(as(undefined, null))).toBe(true);
  const roles = ["viewer", "speaker", "co_host", "host"] as const;
  const may = (policy: Policy) => roles.map((role) => maySendFiles(as(role, policy)));
  expect(may(OPEN)).toEqual([true, true, true, true]);
  expect(may(rule)).toEqual([false, false, true, true]);
  expect(may(STRICT)).toEqual([false, false, true, true]);
});

test("hosts ask in polls, and everybody does where nobody is host", () => {
  expect(mayPoll(as(undefined, null))).toBe(true);
  const roles = ["viewer", "speaker", "co_host", "host"] as const;
  expect(roles.map((role) => mayPoll(as(role, OPEN)))).toEqual([false, false, true, true]);
});

test("what a token withholds is neither sent nor played, whatever the role", () => {
  const host = { role: "host", withheld: ["camera"] } as const;
  expect(mayPublish({ policy: OPEN, self: host }, "camera")).toBe(false);
  expect(mayPublish({ policy: OPEN, self: host }, "microphone")).toBe(true);
  expect(mayReceive({ policy: OPEN }, host, "camera")).toBe(false);
  expect(mayReceive({ policy: null }, { withheld: ["microphone"] }, "microphone")).toBe(false);
});

test("links are held to what may be sent and received", () => {
  const of = (self: Parameters<typeof mediaRights>[0]["self"], policy: Policy | null = OPEN) =>
    mediaRights({ self, policy });
  expect(of({}, null).sends).toHaveLength(4);
  expect(of({ role: "viewer" })).toEqual({ sends: [], receives: true });
  expect(of({ role: "speaker" }, STRICT).sends).toEqual(["microphone", "camera"]);
  expect(of({ role: "host", withheld: ["camera"], unsubscribed: true })).toEqual({
    sends: ["microphone", "screen", "screen_audio"],
    receives: false,
  });
});
