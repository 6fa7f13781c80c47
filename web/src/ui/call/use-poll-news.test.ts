import type { Poll } from "moim-client";
import { expect, test } from "vitest";
import { pendingPolls, pollNews } from "./use-poll-news.ts";

const poll = (id: number, more: Partial<Poll> = {}): Poll => ({
  id,
  question: `Question ${id}`,
  options: [],
  multiple: false,
  named: false,
  closed: false,
  voters: 0,
  by: "Ann",
  at: 0,
  mine: [],
  ...more,
});
const ids = (polls: readonly Poll[]) => polls.map(({ id }) => id);

test("polls that open and close are news once, and votes are not", () => {
  expect(ids(pollNews([poll(1)], [poll(1), poll(2)]))).toEqual([2]);
  expect(ids(pollNews([poll(1)], [poll(1, { voters: 3 })]))).toEqual([]);
  expect(ids(pollNews([poll(1)], [poll(1, { closed: true })]))).toEqual([1]);
  expect(pollNews([poll(1, { closed: true })], [poll(1, { closed: true })])).toEqual([]);
  expect(pollNews([poll(1)], [])).toEqual([]);
});

test("a newcomer is told of open polls alone, and whoever has voted of none", () => {
  expect(ids(pollNews([], [poll(1), poll(2, { closed: true }), poll(3, { mine: [0] })]))).toEqual([
    1,
  ]);
});

test("polls wait for a vote until it is given or they are closed", () => {
  const polls = [poll(1), poll(2, { mine: [1] }), poll(3, { closed: true }), poll(4)];
  expect(pendingPolls(polls)).toBe(2);
});
