// The page's report to the server about its links every ten seconds, as a hint for the operator.
import type {
  ParticipantId,
  ReportedLimit,
  ReportedTransport,
  ReportRequest,
} from "../protocol.ts";
import type { RtcStats, RtcStatsReport } from "../rtc/rtc-stats.ts";
import { selectedPair, transportOf } from "../rtc/selected-pair.ts";
import type { TrackOwners } from "./track-owners.ts";

/** A picture that froze for this long in one report stood still. */
const STILL_SECONDS = 1;

/** Participants named in one list. */
const MAX_NAMED = 64;

/** Fewer packets than this tell nothing about loss. */
const MIN_PACKETS = 50;

/** The worst last. */
const TRANSPORTS: readonly ReportedTransport[] = ["udp", "relay_udp", "tcp", "relay_tcp"];

/** The strongest last. */
const LIMITS: readonly ReportedLimit[] = ["none", "other", "bandwidth", "cpu"];

/** Counters that are meaningful as differences only. */
type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;
const COUNTERS = [
  "bytesReceived",
  "bytesSent",
  "packetsReceived",
  "packetsSent",
  "packetsLost",
  "framesDecoded",
  "framesEncoded",
  "freezeCount",
  "totalFreezesDuration",
  "concealedSamples",
  "totalSamplesReceived",
] as const;

export type PageCounters = ReadonlyMap<string, Counters>;

export interface PageReportOptions {
  readonly links: readonly { readonly to: ParticipantId; readonly report: RtcStatsReport }[];
  readonly owners: TrackOwners;
  /** Counters of the report before. */
  readonly before: PageCounters;
  /** Seconds since then. */
  readonly seconds: number;
  /** Share of the time by which the page's timers were late, thousandths. */
  readonly late?: number | undefined;
}

/** The report on all links since the one before; null if there is nothing to tell. */
export function pageReport({ links, owners, before, seconds, late }: PageReportOptions): {
  request: ReportRequest | null;
  counters: PageCounters;
} {
  const counters = new Map<string, Counters>();
  const sum = { up: 0, down: 0, sent: 0, lostUp: 0, received: 0, lostDown: 0 };
  const sound = { concealed: 0, played: 0 };
  let [framesUp, framesDown, freezes, limit, transport] = [0, 0, 0, 0, -1];
  const roundTrips: number[] = [];
  const jitters: number[] = [];
  const seen = new Set<ParticipantId>();
  const still = new Set<ParticipantId>();
  for (const { to, report } of links) {
    const pair = selectedPair(report);
    if (pair?.currentRoundTripTime !== undefined) roundTrips.push(pair.currentRoundTripTime);
    transport = Math.max(transport, TRANSPORTS.indexOf(reportedTransport(report, pair)));
    for (const [id, entry] of report) {
      if (entry.type !== "inbound-rtp" && entry.type !== "outbound-rtp") continue;
      const key = `${to} ${id}`;
      const far = entry.remoteId === undefined ? undefined : report.get(entry.remoteId);
      const isIn = entry.type === "inbound-rtp";
      const now = countersOf(entry, isIn ? entry : far);
      counters.set(key, now);
      const start = before.get(key);
      if (!start) continue;
      const growth = (name: keyof Counters) => Math.max(0, now[name] - start[name]);
      if (isIn) {
        sum.down += growth("bytesReceived");
        sum.received += growth("packetsReceived");
        sum.lostDown += growth("packetsLost");
        if (entry.jitter !== undefined) jitters.push(entry.jitter);
        sound.concealed += growth("concealedSamples");
        sound.played += growth("totalSamplesReceived");
        if (entry.kind !== "video") continue;
        framesDown += growth("framesDecoded");
        freezes += growth("freezeCount");
        const owner = owners.received(entry.trackIdentifier ?? "");
        if (owner?.source !== "camera" || growth("bytesReceived") === 0) continue;
        seen.add(owner.participant);
        if (growth("totalFreezesDuration") >= STILL_SECONDS) still.add(owner.participant);
      } else {
        sum.up += growth("bytesSent");
        sum.sent += growth("packetsSent");
        sum.lostUp += growth("packetsLost");
        if (entry.kind !== "video" || growth("bytesSent") === 0) continue;
        framesUp = Math.max(framesUp, growth("framesEncoded"));
        limit = Math.max(limit, LIMITS.indexOf(entry.qualityLimitationReason ?? "none"));
      }
    }
  }
  if (counters.size === 0 || before.size === 0) return { request: null, counters };
  const kbps = (bytes: number) => Math.round((bytes * 8) / 1000 / seconds);
  const permille = (part: number, all: number) =>
    all < MIN_PACKETS ? undefined : Math.min(1000, Math.round((part / all) * 1000));
  const longest = (values: number[]) =>
    values.length === 0 ? undefined : Math.round(Math.max(...values) * 1000);
  const request: ReportRequest = {
    ...known({
      transport: TRANSPORTS[transport],
      roundTrip: longest(roundTrips),
      jitter: longest(jitters),
      lossUp: permille(sum.lostUp, sum.sent),
      lossDown: permille(sum.lostDown, sum.received + sum.lostDown),
      limit: LIMITS[limit],
      concealed: permille(sound.concealed, sound.played),
      late,
    }),
    kbpsUp: kbps(sum.up),
    kbpsDown: kbps(sum.down),
    framesUp: Math.round(framesUp / seconds),
    framesDown: Math.round(framesDown / seconds),
    freezes: Math.round(freezes),
    seen: [...seen].slice(0, MAX_NAMED),
    still: [...still].slice(0, MAX_NAMED),
  };
  return { request, counters };
}

/** The members that have a value. */
function known<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function countersOf(entry: RtcStats, loss: RtcStats | undefined): Counters {
  const values = COUNTERS.map((name) => [name, entry[name] ?? 0] as const);
  const counters = Object.fromEntries(values) as Record<(typeof COUNTERS)[number], number>;
  return { ...counters, packetsLost: loss?.packetsLost ?? 0 };
}

function reportedTransport(report: RtcStatsReport, pair: RtcStats | undefined): ReportedTransport {
  const { isRelayed, protocol } = transportOf(report, pair);
  const isStream = protocol !== "udp";
  if (isRelayed) return isStream ? "relay_tcp" : "relay_udp";
  return isStream ? "tcp" : "udp";
}
