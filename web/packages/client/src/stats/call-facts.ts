// Facts of a call's last seconds about why it is bad, for the judge at `/api/doctor/judge`.
import type { CallFacts } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import type { RtcStats, RtcStatsReport } from "../rtc/rtc-stats.ts";
import { selectedPair, transportOf } from "../rtc/selected-pair.ts";
import type { TrackOwners } from "./track-owners.ts";

/** Snapshots that are kept: 20 s at one every two seconds. */
const MAX_SNAPSHOTS = 11;
/** Fewest snapshots that say something. */
const MIN_SNAPSHOTS = 3;
/** A picture that froze for this long (s) stood still. */
const STILL_SECONDS = 1;
/** Fewest frames whose encoding says something. */
const MIN_FRAMES = 30;

/** Counters that are meaningful as differences only. */
const COUNTERS = [
  "bytesSent",
  "bytesReceived",
  "packetsSent",
  "retransmittedPacketsSent",
  "packetsReceived",
  "packetsLost",
  "framesDecoded",
  "framesDropped",
  "framesEncoded",
  "totalEncodeTime",
  "totalFreezesDuration",
  "concealedSamples",
  "totalSamplesReceived",
] as const;

type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;

interface Stream {
  readonly direction: "in" | "out";
  readonly isVideo: boolean;
  /** Sender of what is received; null for what is sent. */
  readonly from: ParticipantId | null;
  readonly isCamera: boolean;
  readonly counters: Counters;
  readonly jitter: number | undefined;
  readonly limit: string | undefined;
  /** Frames per second and height of the source. */
  readonly captured: { readonly rate: number; readonly height: number };
}

interface Link {
  readonly transport: CallFacts["transport"];
  readonly roundTrip: number | undefined;
  /** Bits per second. */
  readonly available: number | undefined;
  readonly streams: ReadonlyMap<string, Stream>;
}

/** One measurement of all links. */
export interface CallSnapshot {
  readonly at: number;
  readonly links: ReadonlyMap<ParticipantId, Link>;
}

interface SnapshotOptions {
  readonly links: readonly { readonly to: ParticipantId; readonly report: RtcStatsReport }[];
  readonly owners: TrackOwners;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

export function callSnapshot({ links, owners, at }: SnapshotOptions): CallSnapshot {
  return { at, links: new Map(links.map(({ to, report }) => [to, linkOf(report, owners)])) };
}

/** Adds a snapshot and drops the oldest beyond those that are kept. */
export function addSnapshot(
  before: readonly CallSnapshot[],
  snapshot: CallSnapshot,
): readonly CallSnapshot[] {
  return [...before, snapshot].slice(-MAX_SNAPSHOTS);
}

/** The facts of these snapshots; null while there are too few. */
export function callFacts(snapshots: readonly CallSnapshot[]): CallFacts | null {
  const last = snapshots.at(-1);
  if (snapshots.length < MIN_SNAPSHOTS || !last || last.links.size === 0) return null;
  const growths = snapshots.slice(1).flatMap((now, index) => growthOf(snapshots[index], now));
  const sum = (of: readonly Growth[], name: keyof Counters) =>
    of.reduce((all, growth) => all + growth.counters[name], 0);
  const share = (part: number, all: number) => (all === 0 ? 0 : part / all);
  const received = growths.filter(({ stream }) => stream.direction === "in");
  const video = received.filter(({ stream }) => stream.isVideo);
  const audio = received.filter(({ stream }) => !stream.isVideo);
  const links = [...last.links.values()];
  return {
    transport: worst(links.map(({ transport }) => transport)),
    sent: [...last.links].map(([to, { roundTrip }]) => {
      const out = growths.filter(({ link, stream }) => link === to && stream.direction === "out");
      // The far end does not count as lost what a retransmission has replaced.
      const lost = [...groupBy(out, ({ id }) => id).values()].map((of) =>
        Math.max(sum(of, "packetsLost"), sum(of, "retransmittedPacketsSent")),
      );
      return {
        packets: sum(out, "packetsSent") - sum(out, "retransmittedPacketsSent"),
        lost: lost.reduce((all, one) => all + one, 0),
        ...(roundTrip === undefined ? {} : { rttMs: roundTrip * 1000 }),
      };
    }),
    publishers: [...groupBy(received, ({ stream }) => stream.from).values()].map((of) => {
      const pictures = of.filter(({ stream }) => stream.isVideo && stream.isCamera);
      return {
        packets: sum(of, "packetsReceived"),
        lost: sum(of, "packetsLost"),
        hasPicture: sum(pictures, "bytesReceived") > 0,
        isStill: sum(pictures, "totalFreezesDuration") >= STILL_SECONDS,
      };
    }),
    jitterMs: 1000 * Math.max(0, ...received.map(({ stream }) => stream.jitter ?? 0)),
    concealed: share(sum(audio, "concealedSamples"), sum(audio, "totalSamplesReceived")),
    dropped: share(
      sum(video, "framesDropped"),
      sum(video, "framesDropped") + sum(video, "framesDecoded"),
    ),
    ...encoderFacts(growths, (last.at - (snapshots[0]?.at ?? last.at)) / 1000),
    ...availableFacts(links),
  };
}

interface Growth {
  readonly link: ParticipantId;
  readonly id: string;
  /** End of the interval. */
  readonly at: number;
  readonly stream: Stream;
  readonly counters: Counters;
}

/** The growth of streams that are in both. */
function growthOf(before: CallSnapshot | undefined, now: CallSnapshot): Growth[] {
  return [...now.links].flatMap(([link, { streams }]) =>
    [...streams].flatMap(([id, stream]) => {
      const start = before?.links.get(link)?.streams.get(id);
      // The media server lets a section carry another participant.
      if (!start || start.from !== stream.from) return [];
      const counters = countersBy((name) =>
        Math.max(0, stream.counters[name] - start.counters[name]),
      );
      return [{ link, id, at: now.at, stream, counters }];
    }),
  );
}

/** The encoding that needs the most time, and how often the encoder was limited. */
function encoderFacts(growths: readonly Growth[], seconds: number) {
  const cameras = growths.filter(
    ({ stream, counters }) =>
      stream.direction === "out" && stream.isCamera && stream.isVideo && counters.bytesSent > 0,
  );
  let [encodeMs, encodedRate, capturedRate, height] = [0, 0, 0, 0];
  for (const of of groupBy(cameras, ({ link, id }) => `${link} ${id}`).values()) {
    const frames = of.reduce((all, { counters }) => all + counters.framesEncoded, 0);
    const time = of.reduce((all, { counters }) => all + counters.totalEncodeTime, 0);
    const { captured } = of.at(-1)?.stream ?? { captured: { rate: 0, height: 0 } };
    height = Math.max(height, captured.height);
    if (frames < MIN_FRAMES || (1000 * time) / frames <= encodeMs) continue;
    encodeMs = (1000 * time) / frames;
    encodedRate = frames / seconds;
    capturedRate = captured.rate;
  }
  const intervals = [...groupBy(cameras, ({ at }) => at).values()];
  const limited = (limit: string) => {
    const count = intervals.filter((of) => of.some(({ stream }) => stream.limit === limit)).length;
    return intervals.length === 0 ? 0 : count / intervals.length;
  };
  return {
    encodeMs,
    encodedRate,
    capturedRate,
    height,
    limitedCpu: limited("cpu"),
    limitedBandwidth: limited("bandwidth"),
  };
}

function availableFacts(links: readonly Link[]): { availableKbps?: number } {
  const known = links.flatMap(({ available }) => available ?? []);
  return known.length === 0 ? {} : { availableKbps: Math.min(...known) / 1000 };
}

/** The worst last. */
const TRANSPORTS: readonly CallFacts["transport"][] = ["udp", "tcp", "tls"];

function worst(transports: readonly CallFacts["transport"][]): CallFacts["transport"] {
  const ranks = transports.map((transport) => TRANSPORTS.indexOf(transport));
  return TRANSPORTS[Math.max(0, ...ranks)] ?? "udp";
}

function linkOf(report: RtcStatsReport, owners: TrackOwners): Link {
  const pair = selectedPair(report);
  const { protocol } = transportOf(report, pair);
  const streams = [...report].flatMap(([id, entry]) => {
    const stream = streamOf(entry, report, owners);
    return stream ? [[id, stream] as const] : [];
  });
  return {
    transport: protocol === "udp" ? "udp" : protocol === "tls" ? "tls" : "tcp",
    roundTrip: pair?.currentRoundTripTime,
    available: pair?.availableOutgoingBitrate,
    streams: new Map(streams),
  };
}

function streamOf(entry: RtcStats, report: RtcStatsReport, owners: TrackOwners): Stream | null {
  const isIn = entry.type === "inbound-rtp";
  if (!isIn && entry.type !== "outbound-rtp") return null;
  const media = report.get(entry.mediaSourceId ?? "");
  const owner = isIn ? owners.received(entry.trackIdentifier ?? "") : null;
  const source = isIn ? owner?.source : owners.local(media?.trackIdentifier ?? "");
  if (!source) return null;
  const far = isIn ? entry : report.get(entry.remoteId ?? "");
  const counters = countersBy((name) =>
    name === "packetsLost" ? (far?.packetsLost ?? 0) : (entry[name] ?? 0),
  );
  return {
    direction: isIn ? "in" : "out",
    isVideo: entry.kind === "video",
    from: owner?.participant ?? null,
    isCamera: source === "camera",
    counters,
    jitter: isIn ? entry.jitter : undefined,
    limit: entry.qualityLimitationReason,
    captured: { rate: media?.framesPerSecond ?? 0, height: media?.height ?? 0 },
  };
}

function countersBy(value: (name: keyof Counters) => number): Counters {
  const entries = COUNTERS.map((name) => [name, value(name)] as const);
  return Object.fromEntries(entries) as Record<keyof Counters, number>;
}

function groupBy<T, K>(all: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of all) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
