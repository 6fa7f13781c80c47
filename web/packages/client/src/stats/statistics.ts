// Statistics of the links: the browser's counters, turned into rates between two measurements.
// (https://www.w3.org/TR/webrtc-stats/)
import type { Layer, LinkStats, Quality, Statistics, StatsSample, TrackStats } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import type { RtcStats, RtcStatsReport } from "../rtc/rtc-stats.ts";
import { selectedPair } from "../rtc/selected-pair.ts";
import type { TrackOwners } from "./track-owners.ts";

/** Samples kept: two minutes at one every two seconds. */
const MAX_SAMPLES = 60;

export const NO_STATISTICS: Statistics = { links: [], samples: [] };

/** Counters of one RTP stream, meaningful only as differences. */
interface StreamCounters {
  bytes: number;
  packets: number;
  lost: number;
  frames: number;
  freezes: number;
}

/** One link's counters at a measurement, kept to compare the next one with. */
export interface LinkCounters {
  /** Milliseconds of the same clock as that of the next measurement. */
  readonly at: number;
  readonly streams: ReadonlyMap<string, StreamCounters>;
}

export interface LinkMeasurement {
  readonly link: LinkStats;
  readonly counters: LinkCounters;
}

export interface MeasureOptions {
  readonly to: ParticipantId;
  readonly report: RtcStatsReport;
  /** Counters of the measurement before; undefined for the first one. */
  readonly before: LinkCounters | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
  readonly owners: TrackOwners;
}

/** Derives one link's statistics from its report. */
export function measureLink({ to, report, before, at, owners }: MeasureOptions): LinkMeasurement {
  const streams = new Map<string, StreamCounters>();
  const tracks: TrackStats[] = [];
  const seconds = before ? Math.max((at - before.at) / 1000, 0.001) : Number.POSITIVE_INFINITY;
  for (const [id, entry] of report) {
    if (entry.type !== "inbound-rtp" && entry.type !== "outbound-rtp") continue;
    const owner = ownerOf(to, entry, report, owners);
    if (!owner) continue;
    const now = countersOf(entry, report);
    streams.set(id, now);
    tracks.push({
      direction: entry.type === "inbound-rtp" ? "in" : "out",
      ...owner,
      codec: entryOf(report, entry.codecId)?.mimeType?.replace(/^\w+\//, "") ?? null,
      ...ratesOf(entry, { now, before: before?.streams.get(id) ?? now, seconds }),
    });
  }
  return {
    link: { to, ...pathOf(report), tracks: mergeLayers(tracks) },
    counters: { at, streams },
  };
}

/** Adds one measurement of all links. */
export function reduceStatistics(
  before: Statistics,
  links: readonly LinkStats[],
  at: number,
): Statistics {
  const tracks = links.flatMap((link) => link.tracks);
  const bitrate = (direction: TrackStats["direction"]) =>
    tracks
      .filter((track) => track.direction === direction)
      .reduce((sum, { bitrate }) => sum + bitrate, 0);
  const sample: StatsSample = {
    at,
    in: bitrate("in"),
    out: bitrate("out"),
    loss: Math.max(0, ...tracks.map(({ loss }) => loss ?? 0)),
    roundTrip: Math.max(0, ...links.map(({ roundTrip }) => roundTrip ?? 0)),
  };
  return { links, samples: [...before.samples, sample].slice(-MAX_SAMPLES) };
}

/** Receive quality of each remote participant and, for `self`, the quality at the receivers. */
export function qualitiesOf(
  links: readonly LinkStats[],
  self: ParticipantId,
): ReadonlyMap<ParticipantId, Quality> {
  const qualities = new Map<ParticipantId, Quality>();
  const lower = (id: ParticipantId, quality: Quality) => {
    const before = qualities.get(id);
    if (!before || RANKS.indexOf(quality) > RANKS.indexOf(before)) qualities.set(id, quality);
  };
  for (const { to, roundTrip, tracks } of links) {
    for (const track of tracks) {
      if (track.direction === "in" && track.codec === null) continue;
      const quality = qualityOf(track, roundTrip);
      // In a mesh, loss at the other end says as much about the path as loss at this end.
      if (track.direction === "in" || to !== "sfu") lower(track.participant, quality);
      if (track.direction === "out") lower(self, quality);
    }
  }
  return qualities;
}

/** The best first. */
const RANKS: readonly Quality[] = ["good", "fair", "poor"];

/** Upper limits of a quality: packet loss 0 to 1, and freezes per measurement. */
const LIMITS = {
  good: { loss: 0.02, roundTripMs: 350, freezes: 0 },
  fair: { loss: 0.08, roundTripMs: 800, freezes: 1 },
} as const;

function qualityOf({ loss, freezes }: TrackStats, roundTrip: number | null): Quality {
  const isWithin = (limits: (typeof LIMITS)[keyof typeof LIMITS]) =>
    (loss ?? 0) <= limits.loss &&
    (roundTrip ?? 0) <= limits.roundTripMs &&
    freezes <= limits.freezes;
  return isWithin(LIMITS.good) ? "good" : isWithin(LIMITS.fair) ? "fair" : "poor";
}

function entryOf(report: RtcStatsReport, id: string | undefined): RtcStats | undefined {
  return id === undefined ? undefined : report.get(id);
}

function ownerOf(
  to: ParticipantId,
  entry: RtcStats,
  report: RtcStatsReport,
  owners: TrackOwners,
): Pick<TrackStats, "participant" | "source"> | null {
  if (entry.type === "inbound-rtp") return owners.received(entry.trackIdentifier ?? "");
  const source = owners.local(entryOf(report, entry.mediaSourceId)?.trackIdentifier ?? "");
  return source && { participant: to, source };
}

function countersOf(entry: RtcStats, report: RtcStatsReport): StreamCounters {
  if (entry.type === "inbound-rtp") {
    return {
      bytes: entry.bytesReceived ?? 0,
      packets: entry.packetsReceived ?? 0,
      lost: entry.packetsLost ?? 0,
      frames: entry.framesDecoded ?? 0,
      freezes: entry.freezeCount ?? 0,
    };
  }
  return {
    bytes: entry.bytesSent ?? 0,
    packets: entry.packetsSent ?? 0,
    lost: entryOf(report, entry.remoteId)?.packetsLost ?? 0,
    frames: entry.framesEncoded ?? 0,
    freezes: 0,
  };
}

interface Interval {
  readonly now: StreamCounters;
  readonly before: StreamCounters;
  readonly seconds: number;
}

function ratesOf(
  entry: RtcStats,
  { now, before, seconds }: Interval,
): Pick<TrackStats, "bitrate" | "loss" | "freezes" | "layers"> {
  const growth = (key: keyof StreamCounters) => Math.max(0, now[key] - before[key]);
  const packets = growth("packets") + (entry.type === "inbound-rtp" ? growth("lost") : 0);
  const bitrate = (growth("bytes") * 8) / seconds;
  return {
    bitrate,
    loss: packets === 0 ? null : Math.min(1, growth("lost") / packets),
    freezes: growth("freezes"),
    layers: bitrate > 0 ? layersOf(entry, growth("frames") / seconds) : [],
  };
}

function layersOf(entry: RtcStats, frameRate: number): Layer[] {
  const { kind, frameWidth: width, frameHeight: height, scalabilityMode: mode } = entry;
  return kind === "video" && width && height
    ? [{ width, height, frameRate, mode: mode ?? null }]
    : [];
}

/** Merges the layers of a simulcast track into one entry with their total bitrate. */
function mergeLayers(tracks: readonly TrackStats[]): TrackStats[] {
  const merged = new Map<string, TrackStats>();
  for (const track of tracks) {
    const key = `${track.direction} ${track.participant} ${track.source}`;
    const other = merged.get(key);
    if (!other) {
      merged.set(key, track);
      continue;
    }
    merged.set(key, {
      ...other,
      codec: other.codec ?? track.codec,
      bitrate: track.bitrate + other.bitrate,
      loss: track.loss === null ? other.loss : Math.max(track.loss, other.loss ?? 0),
      layers: [...other.layers, ...track.layers].sort((a, b) => b.height - a.height),
    });
  }
  return [...merged.values()];
}

function pathOf(report: RtcStatsReport): Pick<LinkStats, "roundTrip" | "path"> {
  const pair = selectedPair(report);
  if (!pair) return { roundTrip: null, path: null };
  const seconds = pair.currentRoundTripTime;
  const end = (id: string | undefined): string => {
    const candidate = entryOf(report, id);
    if (!candidate) return "?";
    return `${candidate.candidateType}/${candidate.relayProtocol ?? candidate.protocol}`;
  };
  return {
    roundTrip: seconds === undefined ? null : Math.round(seconds * 1000),
    path: `${end(pair.localCandidateId)} ⇄ ${end(pair.remoteCandidateId)}`,
  };
}
