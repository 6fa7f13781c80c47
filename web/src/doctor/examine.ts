/**
 * Examines the way from this browser to the server, all checks at once, and then its encoder, which
 * would disturb them: 15 s in all.
 */
import { allocate, connectProbe, gather, measurePath, type Probe } from "./connections.ts";
import { testEncoder } from "./encoder.ts";
import type { Attempt, Check, ExaminationEvent, Facts } from "./facts.ts";
import { Followed } from "./followed.ts";
import { judge, post } from "./judge.ts";
import { natFacts } from "./nat.ts";
import { tryPolling, tryWebSocket } from "./signaling.ts";

const SIGNALING_MS = 3_000;
const CONNECT_MS = 4_000;
const GATHER_MS = 4_000;
/** Measured over UDP; over TCP nothing is lost, and delay needs less time. */
const PATH_SECONDS = 8;
const TCP_PATH_SECONDS = 3;
/** A probe ends after 15 s. */
const MAX_PATH_SECONDS = 9;

export interface ExamineOptions {
  /** Language of the findings. */
  language: string;
  /** Time for which the path is measured, none for 0; the encoder is left out then. */
  seconds?: number | undefined;
  /** One-time id with which the operator follows the test in a terminal. */
  probe?: string | undefined;
}

interface Visit {
  iceServers: RTCIceServer[];
  natTest: string[];
  hasIpv6: boolean;
  takesReports: boolean;
  now: number;
  /** The operator follows this test. */
  followed: boolean;
}

interface Outcome {
  outcome: Attempt;
  facts: Facts;
}

/** Runs all checks and reports each to `emit`; resolves once the findings are there. */
export async function examine(
  { language, seconds, probe }: ExamineOptions,
  emit: (event: ExaminationEvent) => void,
  outer: AbortSignal,
): Promise<void> {
  // Ends all connections, also after the last check.
  const end = new AbortController();
  const { signal } = end;
  const abort = () => end.abort();
  outer.addEventListener("abort", abort);
  let facts: Facts = {};
  const run = async (check: Check, ask: () => Promise<Outcome>): Promise<void> => {
    const start = performance.now();
    emit({ type: "started", check });
    const found = await ask();
    facts = { ...facts, ...found.facts };
    const ended = { check, ms: performance.now() - start, ...found };
    emit({ type: "ended", ...ended });
    followed?.step(ended);
  };
  let followed: Followed | undefined;
  try {
    const visit = beginVisit(probe, signal).then((begun) => {
      emit({ type: "visited", takesReports: begun.takesReports });
      return begun;
    });
    if (probe) followed = new Followed(probe, visit, signal);
    const udp = visit.then(() => connectProbe("udp", CONNECT_MS, signal));
    const tcp = visit.then(() => connectProbe("tcp", CONNECT_MS, signal));
    await Promise.all([
      run("page", () => askPage(visit)),
      run("webSocket", () => attempt("webSocket", tryWebSocket(SIGNALING_MS, signal))),
      run("polling", () => attempt("polling", tryPolling(SIGNALING_MS, signal))),
      run("udp", () => attempt("udp", outcomeOf(udp))),
      run("udp6", () => attempt("udp6", tryIpv6(visit, signal))),
      run("tcp", () => attempt("tcp", outcomeOf(tcp))),
      ...(["turnUdp", "turnTcp", "turnTls"] as const).map((check) =>
        run(check, () => attempt(check, tryRelay(visit, check, signal))),
      ),
      run("nat", () => askNat(visit, signal)),
      run("line", () => askPath(udp, tcp, seconds ?? PATH_SECONDS, signal)),
    ]);
    await run("encoder", () => askEncoder(seconds === undefined, signal));
    const id = await followed?.reported();
    emit({ type: "judged", findings: await judge(facts, language, signal, id) });
  } catch {
    if (!outer.aborted) emit({ type: "failed" });
  } finally {
    outer.removeEventListener("abort", abort);
    abort();
  }
}

async function beginVisit(probe: string | undefined, signal: AbortSignal): Promise<Visit> {
  const response = await post("/api/doctor/visit", { probe }, signal);
  return (await response.json()) as Visit;
}

async function attempt(check: Check, attempted: Promise<Attempt>): Promise<Outcome> {
  const outcome = await attempted;
  return { outcome, facts: { [check]: outcome } };
}

async function outcomeOf(probe: Promise<Probe>): Promise<Attempt> {
  return (await probe).outcome;
}

/** The answers of servers with IPv4 alone have nothing to try. */
async function tryIpv6(visit: Promise<Visit>, signal: AbortSignal): Promise<Attempt> {
  if (!(await visit).hasIpv6) return "unknown";
  return outcomeOf(connectProbe("udp6", CONNECT_MS, signal));
}

async function askPage(visit: Promise<Visit>): Promise<Outcome> {
  const start = Date.now();
  const { now } = await visit;
  const clockOffsetMs = (start + Date.now()) / 2 - now;
  const secure = isSecureContext;
  return { outcome: secure ? "passed" : "failed", facts: { secure, clockOffsetMs } };
}

/** A relay by its transport. */
const RELAYS = {
  turnUdp: /^turn:.*transport=udp$/,
  turnTcp: /^turn:.*transport=tcp$/,
  turnTls: /^turns:/,
} as const;

async function tryRelay(
  visit: Promise<Visit>,
  check: keyof typeof RELAYS,
  signal: AbortSignal,
): Promise<Attempt> {
  const { iceServers } = await visit;
  const matching = iceServers.map((server) => {
    const urls = [server.urls].flat().filter((url) => RELAYS[check].test(url));
    return { ...server, urls };
  });
  const servers = matching.filter(({ urls }) => urls.length > 0);
  return allocate(servers, GATHER_MS, signal);
}

async function askNat(visit: Promise<Visit>, signal: AbortSignal): Promise<Outcome> {
  const { iceServers, natTest } = await visit;
  const stun = [iceServers[0]?.urls ?? []].flat();
  const urls = natTest.length > 0 ? natTest : stun.slice(0, 1);
  const servers = urls.map((url) => ({ urls: url }));
  const facts = natFacts(await gather({ iceServers: servers }, GATHER_MS, signal), natTest.length);
  return { outcome: facts.nat ? "passed" : "unknown", facts };
}

async function askPath(
  udp: Promise<Probe>,
  tcp: Promise<Probe>,
  seconds: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const first = await udp;
  const second = first.channel ? null : await tcp;
  const channel = first.channel ?? second?.channel;
  if (!channel || !(seconds > 0)) return { outcome: "unknown", facts: {} };
  const limit = first.channel ? MAX_PATH_SECONDS : TCP_PATH_SECONDS;
  const path = await measurePath(channel, 1_000 * Math.min(seconds, limit), signal);
  return { outcome: path.returned > 0 ? "passed" : "failed", facts: { line: path } };
}

/** Fewest frames that say something: a hidden tab draws none. */
const MIN_FRAMES = 20;

async function askEncoder(isAsked: boolean, signal: AbortSignal): Promise<Outcome> {
  if (!isAsked) return { outcome: "unknown", facts: {} };
  const encoder = await testEncoder(signal);
  return { outcome: encoder.captured < MIN_FRAMES ? "unknown" : "passed", facts: { encoder } };
}
