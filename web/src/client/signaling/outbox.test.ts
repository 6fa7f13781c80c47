import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MediaState } from "../protocol.ts";
import { RequestError } from "./errors.ts";
import { Outbox } from "./outbox.ts";
import type { Outcome } from "./signaling.ts";

const media = (mic: boolean): MediaState => ({ mic, camera: false, screen: false, hand: false });
const signal = (to: string) => ({ to });

let sent: { payload: unknown; done: (outcome: Outcome<unknown>) => void }[];
let outbox: Outbox;

const payloads = () => sent.map(({ payload }) => payload);
const refuse = (code: "timeout" | "rate_limited" | "no_such_participant") => ({
  error: new RequestError(code, ""),
});

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  outbox = new Outbox((_event, payload, done) => sent.push({ payload, done }));
});
afterEach(() => {
  vi.useRealTimers();
});

test("nothing is sent before the call is joined, and everything in order after", () => {
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  expect(sent).toEqual([]);
  outbox.open();
  outbox.send("signal", signal("c"));
  expect(payloads()).toEqual([signal("a"), signal("b"), signal("c")]);
});

test("after a drop only what was not acknowledged is sent again", () => {
  outbox.open();
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  sent[0]?.done({ ok: {} });
  outbox.hold();
  sent[1]?.done(refuse("timeout"));
  outbox.send("signal", signal("c"));
  sent = [];
  outbox.open();
  expect(payloads()).toEqual([signal("b"), signal("c")]);
});

test("of the media states held back only the last is sent", () => {
  outbox.send("media", media(true));
  outbox.send("signal", signal("a"));
  outbox.send("media", media(false));
  outbox.open();
  expect(payloads()).toEqual([signal("a"), media(false)]);
});

test("told to be slower it waits, then goes on; refused for good it forgets", () => {
  outbox.open();
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  sent[0]?.done(refuse("rate_limited"));
  sent[1]?.done(refuse("no_such_participant"));
  sent = [];
  outbox.send("signal", signal("c"));
  expect(sent).toEqual([]);
  vi.runAllTimers();
  expect(payloads()).toEqual([signal("a"), signal("c")]);
});

test("it does not grow without bound", () => {
  for (let i = 0; i < 10_000; i++) outbox.send("signal", signal("a"));
  outbox.open();
  expect(sent.length).toBeLessThanOrEqual(2_000);
});

test("cleared, it has nothing left to say", () => {
  outbox.send("signal", signal("a"));
  outbox.clear();
  outbox.open();
  expect(sent).toEqual([]);
});
