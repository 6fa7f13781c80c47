import { expect, test } from "vitest";
import { CandidateQueue, fragments } from "./candidates.ts";

const sdp = (...names: string[]) => names.map((name) => `a=ice-ufrag:${name}\r\n`).join("");
const candidate = (usernameFragment?: string, line = "candidate:1") => ({
  candidate: line,
  ...(usernameFragment !== undefined && { usernameFragment }),
});

test("a candidate waits for the description it belongs to", () => {
  const queue = new CandidateQueue();
  expect(queue.take(candidate("a"))).toBeNull();
  expect(queue.described(sdp("a"))).toEqual([candidate("a")]);
  expect(queue.take(candidate("a"))).toEqual(candidate("a"));
});

test("a candidate of a description that is past is dropped at the next", () => {
  const queue = new CandidateQueue();
  queue.described(sdp("a"));
  expect(queue.take(candidate("b"))).toBeNull();
  expect(queue.take(candidate("c"))).toBeNull();
  expect(queue.described(sdp("c"))).toEqual([candidate("c")]);
  expect(queue.described(sdp("b"))).toEqual([]);
});

test("a candidate without a fragment belongs to the description that is there", () => {
  const queue = new CandidateQueue();
  expect(queue.take(candidate())).toBeNull();
  expect(queue.described(sdp("a"))).toEqual([candidate()]);
  expect(queue.take(candidate())).toEqual(candidate());
});

test("the fragment may stand in the candidate's line only", () => {
  const queue = new CandidateQueue();
  queue.described(sdp("a"));
  const other = candidate(
    undefined,
    "candidate:1 1 udp 1 10.0.0.1 9 typ host ufrag b generation 0",
  );
  expect(queue.take(other)).toBeNull();
  expect(queue.described(sdp("a", "b"))).toEqual([other]);
});

test("a peer can't make us keep candidates without end", () => {
  const queue = new CandidateQueue();
  for (let i = 0; i < 10_000; i++) queue.take(candidate("a"));
  expect(queue.described(sdp("a")).length).toBeLessThan(1_000);
});

test("fragments are read from every section", () => {
  expect(fragments(`v=0\r\n${sdp("x/+", "y")}`)).toEqual(["x/+", "y"]);
});
