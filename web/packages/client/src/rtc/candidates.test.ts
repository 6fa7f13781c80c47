import { expect, test } from "vitest";
import { CandidateQueue, ufragsIn } from "./candidates.ts";

const sdp = (...names: string[]) => names.map((name) => `a=ice-ufrag:${name}\r\n`).join("");
const candidate = (usernameFragment?: string, line = "candidate:1") => ({
  candidate: line,
  ...(usernameFragment !== undefined && { usernameFragment }),
});

test("a candidate waits for its description", () => {
  const queue = new CandidateQueue();
  expect(queue.push(candidate("a"))).toBeNull();
  expect(queue.takeFor(sdp("a"))).toEqual([candidate("a")]);
  expect(queue.push(candidate("a"))).toEqual(candidate("a"));
});

test("a candidate of a past description is dropped with the next one", () => {
  const queue = new CandidateQueue();
  queue.takeFor(sdp("a"));
  expect(queue.push(candidate("b"))).toBeNull();
  expect(queue.push(candidate("c"))).toBeNull();
  expect(queue.takeFor(sdp("c"))).toEqual([candidate("c")]);
  expect(queue.takeFor(sdp("b"))).toEqual([]);
});

test("a candidate without a ufrag belongs to the current description", () => {
  const queue = new CandidateQueue();
  expect(queue.push(candidate())).toBeNull();
  expect(queue.takeFor(sdp("a"))).toEqual([candidate()]);
  expect(queue.push(candidate())).toEqual(candidate());
});

test("the ufrag is also read from the candidate's line", () => {
  const queue = new CandidateQueue();
  queue.takeFor(sdp("a"));
  const other = candidate(
    undefined,
    "candidate:1 1 udp 1 10.0.0.1 9 typ host ufrag b generation 0",
  );
  expect(queue.push(other)).toBeNull();
  expect(queue.takeFor(sdp("a", "b"))).toEqual([other]);
});

test("the number of waiting candidates is bounded", () => {
  const queue = new CandidateQueue();
  for (let i = 0; i < 10_000; i++) queue.push(candidate("a"));
  expect(queue.takeFor(sdp("a")).length).toBeLessThan(1_000);
});

test("ufrags are read from every section", () => {
  expect(ufragsIn(`v=0\r\n${sdp("x/+", "y")}`)).toEqual(["x/+", "y"]);
});
