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
const rejection = (code: "timeout" | "rate_limited" | "no_such_participant") => ({
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

test("requests are sent in order once the outbox opens", () => {
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  expect(sent).toEqual([]);
  outbox.open();
  outbox.send("signal", signal("c"));
  expect(payloads()).toEqual([signal("a"), signal("b"), signal("c")]);
});

test("unacknowledged requests are sent again after a disconnect", () => {
  outbox.open();
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  sent[0]?.done({ ok: {} });
  outbox.hold();
  sent[1]?.done(rejection("timeout"));
  outbox.send("signal", signal("c"));
  sent = [];
  outbox.open();
  expect(payloads()).toEqual([signal("b"), signal("c")]);
});

test("only the last of several held media states is sent", () => {
  outbox.send("media", media(true));
  outbox.send("signal", signal("a"));
  outbox.send("media", media(false));
  outbox.open();
  expect(payloads()).toEqual([signal("a"), media(false)]);
});

test("a rate limited request is sent again later, a rejected one is dropped", () => {
  outbox.open();
  outbox.send("signal", signal("a"));
  outbox.send("signal", signal("b"));
  sent[0]?.done(rejection("rate_limited"));
  sent[1]?.done(rejection("no_such_participant"));
  sent = [];
  outbox.send("signal", signal("c"));
  expect(sent).toEqual([]);
  vi.runAllTimers();
  expect(payloads()).toEqual([signal("a"), signal("c")]);
});

test("the number of entries is bounded", () => {
  for (let i = 0; i < 10_000; i++) outbox.send("signal", signal("a"));
  outbox.open();
  expect(sent.length).toBeLessThanOrEqual(2_000);
});

test("a cleared outbox sends nothing", () => {
  outbox.send("signal", signal("a"));
  outbox.clear();
  outbox.open();
  expect(sent).toEqual([]);
});
