import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { type CallEvent, callEventText } from "./call-events.ts";
import { CallNews } from "./call-news.ts";

const joined = (name: string): CallEvent => ({ kind: "joined", name });
const left = (name: string): CallEvent => ({ kind: "left", name });

/** Everything that is told, with the time, until nothing is pending. */
function tell(steps: readonly (readonly [at: number, events: CallEvent[]])[], others = 3) {
  const news = new CallNews();
  const told: [number, string][] = [];
  const takeUntil = (end: number) => {
    for (let at = news.dueAt; at !== null && at <= end; at = news.dueAt) {
      for (const event of news.take(at, others)) told.push([at, callEventText(event, en)]);
    }
  };
  for (const [at, events] of steps) {
    takeUntil(at);
    for (const event of news.add(events, at)) told.push([at, callEventText(event, en)]);
  }
  takeUntil(Number.POSITIVE_INFINITY);
  return told;
}

test("people who join one after another are told in one line", () => {
  expect(tell([[0, [joined("Ann")]]])).toEqual([[800, "Ann joined"]]);
  expect(
    tell([
      [0, [joined("Ann")]],
      [200, [joined("Ben")]],
    ]),
  ).toEqual([[800, "Ann and Ben joined"]]);
  const many = Array.from({ length: 9 }, (_, i) => joined(`P${i}`));
  expect(tell([[0, many]])).toEqual([[800, "P0, P1 and 7 others joined"]]);
});

test("nobody's coming and going is told in a large room", () => {
  expect(tell([[0, [joined("Ann"), left("Ben")]]], 11)).toEqual([]);
});

test("somebody who reloads the page has neither left nor joined", () => {
  expect(
    tell([
      [0, [left("Ann")]],
      [2_500, [joined("Ann")]],
    ]),
  ).toEqual([]);
  expect(tell([[0, [left("Ann")]]])).toEqual([[4_000, "Ann left"]]);
});

test("after the server restarted only those are told who did not come back", () => {
  const told = tell([
    [0, [{ kind: "reconnecting" }]],
    [9_000, [{ kind: "reconnected" }, left("Ann"), left("Ben"), joined("Ben")]],
    [15_000, [joined("Cem")]],
  ]);
  expect(told).toEqual([
    [0, "Connection lost. Reconnecting."],
    [9_000, "Connected again."],
    [15_800, "Cem joined"],
    [29_000, "Ann left"],
  ]);
});

test("a raised hand is told at once", () => {
  expect(tell([[5, [{ kind: "raisedHand", name: "Ann" }]]])).toEqual([[5, "Ann raised a hand"]]);
});

test("several who joined have a text in Korean", () => {
  const text = (...names: string[]) => callEventText({ kind: "joinedTogether", names }, ko);
  expect(text("지우", "하늘")).toBe("지우님과 하늘님이 들어왔어요");
  expect(text("지우", "하늘", "Ada")).toBe("지우님, 하늘님 외 1명이 들어왔어요");
});
