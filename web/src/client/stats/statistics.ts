// How the links do: what the browser counts, turned into rates by comparing two looks.
// (https://www.w3.org/TR/webrtc-stats/)
import type { Quality } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";

/** How many looks are remembered: two minutes of them. */
const REMEMBERED = 60;

/** One encoding of a video. */
export interface Layer {
  /** In pixels and frames per second. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Spatial and temporal layers within it, as `L1T3`; null where the browser does not tell. */
  readonly mode: string | null;
}

/** One track one way over one link. */
export interface Flow {
  readonly direction: "in" | "out";
  /** Who sends it where it comes in, who gets it where it goes out; `sfu` is the media server. */
  readonly participant: ParticipantId;
  readonly source: Source;
  /** As in SDP, `VP8`; null until something flows. */
  readonly codec: string | null;
  /** Bits per second. */
  readonly bitrate: number;
  /** Share of packets lost on the way, 0 to 1, as the receiving end counts; null where it has not. */
  readonly loss: number | null;
  /** How often the picture stood still since the last look. */
  readonly freezes: number;
  /** Of a video: the one that is received, or those that are sent just now, the largest first. */
  readonly layers: readonly Layer[];
}

/** One link. */
export interface Line {
  readonly to: ParticipantId;
  /** Round trip, in milliseconds. */
  readonly roundTrip: number | null;
  /** The candidate types in use and how they are reached, as `host/udp ⇄ relay/tcp`. */
  readonly path: string | null;
  readonly flows: readonly Flow[];
}

/** All links together at one look. */
export interface Moment {
  /** Milliseconds of any one clock. */
  readonly at: number;
  /** Bits per second. */
  readonly in: number;
  readonly out: number;
  /** The worst share of packets lost, 0 to 1. */
  readonly loss: number;
  /** The longest round trip, in milliseconds. */
  readonly roundTrip: number;
}

export interface Statistics {
  readonly lines: readonly Line[];
  /** The oldest first. */
  readonly moments: readonly Moment[];
}

export const NO_STATISTICS: Statistics = { lines: [], moments: [] };

/** What a report is read for: the numbers that only mean something when compared. */
interface Count {
  bytes: number;
  packets: number;
  lost: number;
  frames: number;
  freezes: number;
}

/** What one link's report said at a look, to compare the next one with. */
export interface Look {
  readonly at: number;
  readonly counts: ReadonlyMap<string, Count>;
}

/** Whose a track is: of a received one its sender, of one's own the source alone. */
export interface Owners {
  received: (trackId: string) => { participant: ParticipantId; source: Source } | null;
  own: (trackId: string) => Source | null;
}

// biome-ignore lint/suspicious/noExplicitAny: TypeScript's own types lack half of what browsers tell.
type Entry = any;

/** Reads one link's report. */
export function read(
  to: ParticipantId,
  report: Iterable<[string, Entry]>,
  before: Look | undefined,
  at: number,
  owners: Owners,
): { line: Line; look: Look } {
  const entries = new Map(report);
  const counts = new Map<string, Count>();
  const flows: Flow[] = [];
  const seconds = before ? Math.max((at - before.at) / 1000, 0.001) : Number.POSITIVE_INFINITY;
  for (const [id, entry] of entries) {
    if (entry.type !== "inbound-rtp" && entry.type !== "outbound-rtp") continue;
    const owner = ownerOf(to, entry, entries, owners);
    if (!owner) continue;
    const count = countOf(entry, entries);
    counts.set(id, count);
    flows.push(flowOf(entry, entries, owner, count, before?.counts.get(id) ?? count, seconds));
  }
  return { line: { to, ...pathOf(entries), flows: joined(flows) }, look: { at, counts } };
}

/** The statistics after one more look at all links. */
export function afterLooking(before: Statistics, lines: readonly Line[], at: number): Statistics {
  const flows = lines.flatMap((line) => line.flows);
  const rate = (direction: Flow["direction"]) =>
    flows
      .filter((flow) => flow.direction === direction)
      .reduce((sum, { bitrate }) => sum + bitrate, 0);
  const moment: Moment = {
    at,
    in: rate("in"),
    out: rate("out"),
    loss: Math.max(0, ...flows.map(({ loss }) => loss ?? 0)),
    roundTrip: Math.max(0, ...lines.map(({ roundTrip }) => roundTrip ?? 0)),
  };
  return { lines, moments: [...before.moments, moment].slice(-REMEMBERED) };
}

/** How well each is received and, for oneself, how well what is sent arrives. */
export function qualities(
  lines: readonly Line[],
  self: ParticipantId,
): ReadonlyMap<ParticipantId, Quality> {
  const found = new Map<ParticipantId, Quality>();
  const worsen = (id: ParticipantId, quality: Quality) => {
    const before = found.get(id);
    if (!before || ORDER.indexOf(quality) > ORDER.indexOf(before)) found.set(id, quality);
  };
  for (const { to, roundTrip, flows } of lines) {
    for (const flow of flows) {
      if (flow.direction === "in" && flow.codec === null) continue;
      const quality = qualityOf(flow, roundTrip);
      // In a mesh what the other end loses of ours says as much of the path as what we lose.
      if (flow.direction === "in" || to !== "sfu") worsen(flow.participant, quality);
      if (flow.direction === "out") worsen(self, quality);
    }
  }
  return found;
}

const ORDER: readonly Quality[] = ["good", "fair", "poor"];

function qualityOf({ loss, freezes }: Flow, roundTrip: number | null): Quality {
  if ((loss ?? 0) > 0.08 || (roundTrip ?? 0) > 800 || freezes > 1) return "poor";
  if ((loss ?? 0) > 0.02 || (roundTrip ?? 0) > 350 || freezes > 0) return "fair";
  return "good";
}

type Owner = Pick<Flow, "participant" | "source">;

function ownerOf(
  to: ParticipantId,
  entry: Entry,
  entries: ReadonlyMap<string, Entry>,
  owners: Owners,
): Owner | null {
  if (entry.type === "inbound-rtp") return owners.received(entry.trackIdentifier ?? "");
  const source = owners.own(entries.get(entry.mediaSourceId)?.trackIdentifier ?? "");
  return source && { participant: to, source };
}

function countOf(entry: Entry, entries: ReadonlyMap<string, Entry>): Count {
  if (entry.type === "inbound-rtp") {
    return {
      bytes: entry.bytesReceived ?? 0,
      packets: entry.packetsReceived ?? 0,
      lost: entry.packetsLost ?? 0,
      frames: entry.framesDecoded ?? 0,
      freezes: entry.freezeCount ?? 0,
    };
  }
  const far = entries.get(entry.remoteId);
  return {
    bytes: entry.bytesSent ?? 0,
    packets: entry.packetsSent ?? 0,
    lost: far?.packetsLost ?? 0,
    frames: entry.framesEncoded ?? 0,
    freezes: 0,
  };
}

function flowOf(
  entry: Entry,
  entries: ReadonlyMap<string, Entry>,
  owner: Owner,
  now: Count,
  before: Count,
  seconds: number,
): Flow {
  const isIn = entry.type === "inbound-rtp";
  const grown = (key: keyof Count) => Math.max(0, now[key] - before[key]);
  const packets = grown("packets") + (isIn ? grown("lost") : 0);
  const bitrate = (grown("bytes") * 8) / seconds;
  return {
    direction: isIn ? "in" : "out",
    ...owner,
    codec: entries.get(entry.codecId)?.mimeType?.replace(/^\w+\//, "") ?? null,
    bitrate,
    loss: packets === 0 ? null : Math.min(1, grown("lost") / packets),
    freezes: grown("freezes"),
    layers: bitrate > 0 ? layersOf(entry, grown("frames") / seconds) : [],
  };
}

function layersOf(entry: Entry, frameRate: number): Layer[] {
  const { kind, frameWidth: width, frameHeight: height, scalabilityMode: mode } = entry;
  return kind === "video" && width && height
    ? [{ width, height, frameRate, mode: mode ?? null }]
    : [];
}

/** The layers of one simulcast track are one flow, all bits together. */
function joined(flows: readonly Flow[]): Flow[] {
  const found = new Map<string, Flow>();
  for (const flow of flows) {
    const key = `${flow.direction} ${flow.participant} ${flow.source}`;
    const other = found.get(key);
    if (!other) {
      found.set(key, flow);
      continue;
    }
    found.set(key, {
      ...other,
      codec: other.codec ?? flow.codec,
      bitrate: flow.bitrate + other.bitrate,
      loss: flow.loss === null ? other.loss : Math.max(flow.loss, other.loss ?? 0),
      layers: [...other.layers, ...flow.layers].sort((a, b) => b.height - a.height),
    });
  }
  return [...found.values()];
}

function pathOf(entries: ReadonlyMap<string, Entry>): Pick<Line, "roundTrip" | "path"> {
  const all = [...entries.values()];
  const transport = all.find(({ type }) => type === "transport");
  const pair =
    entries.get(transport?.selectedCandidatePairId) ??
    // Firefox marks the pair itself.
    all.find(({ type, selected }) => type === "candidate-pair" && selected);
  if (!pair) return { roundTrip: null, path: null };
  const seconds = pair.currentRoundTripTime;
  const end = (id: string): string => {
    const candidate = entries.get(id);
    if (!candidate) return "?";
    return `${candidate.candidateType}/${candidate.relayProtocol ?? candidate.protocol}`;
  };
  return {
    roundTrip: seconds === undefined ? null : Math.round(seconds * 1000),
    path: `${end(pair.localCandidateId)} ⇄ ${end(pair.remoteCandidateId)}`,
  };
}
