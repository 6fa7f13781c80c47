/** Facts that the page finds out about a visitor's network, as `/api/doctor/judge` takes it. */
import type { CallFacts, DevicesFacts } from "moim-client";
import type { PathFacts } from "./echo-log.ts";
import type { EncoderFacts } from "./encoder.ts";
import type { Nat } from "./nat.ts";

export type Attempt = "passed" | "failed" | "unknown";

/** Checks in the order in which they are shown. */
export const CHECKS = [
  "page",
  "webSocket",
  "polling",
  "udp",
  "udp6",
  "tcp",
  "turnUdp",
  "turnTcp",
  "turnTls",
  "nat",
  "line",
  "encoder",
] as const;

export type Check = (typeof CHECKS)[number];

/** Facts that were found out; the others are absent. */
export interface Facts {
  secure?: boolean;
  webSocket?: Attempt;
  polling?: Attempt;
  udp?: Attempt;
  udp6?: Attempt;
  tcp?: Attempt;
  turnUdp?: Attempt;
  turnTcp?: Attempt;
  turnTls?: Attempt;
  nat?: Nat;
  stunAddress?: string;
  hostCandidates?: number;
  line?: PathFacts;
  encoder?: EncoderFacts;
  devices?: DevicesFacts;
  clockOffsetMs?: number;
  call?: CallFacts;
}

/** A diagnosis with its words, from the server. */
export interface Finding {
  code: string;
  severity: "broken" | "degraded" | "advice";
  certainty: "certain" | "likely" | "possible";
  sentence: string;
  remedy: string;
}

export interface CheckState {
  state: "waiting" | "running" | Attempt;
  /** Time that the check took. */
  ms: number | null;
}

export interface Examination {
  phase: "running" | "judged" | "failed";
  checks: Readonly<Record<Check, CheckState>>;
  facts: Facts;
  /** The most important first. */
  findings: readonly Finding[];
  /** The server keeps reports for its host. */
  takesReports: boolean;
}

export type ExaminationEvent =
  | { type: "visited"; takesReports: boolean }
  | { type: "started"; check: Check }
  | { type: "ended"; check: Check; outcome: Attempt; ms: number; facts: Facts }
  | { type: "devices"; devices: DevicesFacts }
  | { type: "judged"; findings: readonly Finding[] }
  | { type: "failed" };

const WAITING: CheckState = { state: "waiting", ms: null };

export const NO_EXAMINATION: Examination = {
  phase: "running",
  checks: Object.fromEntries(CHECKS.map((check) => [check, WAITING])) as Examination["checks"],
  facts: {},
  findings: [],
  takesReports: false,
};

export function reduceExamination(now: Examination, event: ExaminationEvent): Examination {
  switch (event.type) {
    case "visited":
      return { ...now, takesReports: event.takesReports };
    case "started":
      return withCheck(now, event.check, { state: "running", ms: null });
    case "ended": {
      const ended = withCheck(now, event.check, { state: event.outcome, ms: event.ms });
      return { ...ended, facts: { ...now.facts, ...event.facts } };
    }
    case "devices":
      return { ...now, facts: { ...now.facts, devices: event.devices } };
    case "judged":
      return { ...now, phase: "judged", findings: event.findings };
    case "failed":
      return { ...now, phase: "failed" };
  }
}

/** Number of checks that have ended. */
export function endedChecks({ checks }: Examination): number {
  return CHECKS.filter((check) => !["waiting", "running"].includes(checks[check].state)).length;
}

function withCheck(now: Examination, check: Check, state: CheckState): Examination {
  return { ...now, checks: { ...now.checks, [check]: state } };
}
