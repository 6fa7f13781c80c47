import { expect, test } from "vitest";
import { onlyTransport } from "./candidates.ts";
import { CHECKS, endedChecks, NO_EXAMINATION, reduceExamination } from "./facts.ts";

test("facts of ended checks are collected", () => {
  const started = reduceExamination(NO_EXAMINATION, { type: "started", check: "udp" });
  expect(started.checks.udp.state).toBe("running");
  expect(endedChecks(started)).toBe(0);
  const ended = { type: "ended", check: "udp", outcome: "failed", ms: 4_000 } as const;
  const after = reduceExamination(started, { ...ended, facts: { udp: "failed" } });
  expect(after.checks.udp).toEqual({ state: "failed", ms: 4_000 });
  expect(after.facts).toEqual({ udp: "failed" });
  expect(endedChecks(after)).toBe(1);
});

test("an examination ends judged or failed", () => {
  expect(reduceExamination(NO_EXAMINATION, { type: "judged", findings: [] }).phase).toBe("judged");
  expect(reduceExamination(NO_EXAMINATION, { type: "failed" }).phase).toBe("failed");
  expect(Object.keys(NO_EXAMINATION.checks)).toEqual([...CHECKS]);
});

test("an answer keeps candidates of one transport", () => {
  const sdp = [
    "v=0",
    "a=candidate:1 1 udp 1 203.0.113.7 443 typ host",
    "a=candidate:3 1 udp 1 2001:db8::7 443 typ host",
    "a=candidate:2 1 tcp 1 203.0.113.7 443 typ host tcptype passive",
    "a=end-of-candidates",
    "",
  ].join("\r\n");
  expect(onlyTransport(sdp, "udp")).not.toContain(" tcp ");
  expect(onlyTransport(sdp, "tcp")).not.toContain(" udp ");
  expect(onlyTransport(sdp, "udp")).toContain("203.0.113.7");
  expect(onlyTransport(sdp, "udp6")).not.toContain("203.0.113.7");
  expect(onlyTransport(sdp, "udp6")).toContain("2001:db8::7");
  expect(onlyTransport("v=0\r\n", "udp")).toBeNull();
});
