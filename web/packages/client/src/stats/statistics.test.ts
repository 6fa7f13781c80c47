import { expect, test } from "vitest";
import type { LinkStats, TrackStats } from "../api.ts";
import type { RtcStats } from "../rtc/rtc-stats.ts";
import {
  type LinkMeasurement,
  measureLink,
  NO_STATISTICS,
  qualitiesOf,
  reduceStatistics,
} from "./statistics.ts";
import type { TrackOwners } from "./track-owners.ts";

const owners: TrackOwners = {
  received: (id) => (id === "theirs" ? { participant: "a", source: "camera" } : null),
  local: (id) => (id === "mine" ? "camera" : null),
};

type Entries = Record<string, RtcStats>;

function measure(entries: Entries, before?: LinkMeasurement, at = 2_000): LinkMeasurement {
  const report = new Map(Object.entries(entries));
  return measureLink({ to: "a", report, before: before?.counters, at, owners });
}

function inbound(change: object): Entries {
  return {
    in: {
      type: "inbound-rtp",
      kind: "video",
      trackIdentifier: "theirs",
      codecId: "vp8",
      bytesReceived: 0,
      packetsReceived: 0,
      packetsLost: 0,
      framesDecoded: 0,
      freezeCount: 0,
      frameWidth: 640,
      frameHeight: 360,
      ...change,
    },
    vp8: { type: "codec", mimeType: "video/VP8" },
  };
}

test("incoming tracks have rates since the measurement before", () => {
  const first = measure(inbound({ bytesReceived: 1_000_000, framesDecoded: 900 }), undefined, 0);
  expect(first.link.tracks).toMatchObject([{ bitrate: 0, loss: null, freezes: 0 }]);
  const after = {
    bytesReceived: 1_250_000,
    packetsReceived: 90,
    packetsLost: 10,
    framesDecoded: 960,
    freezeCount: 1,
  };
  const { link } = measure(inbound(after), first);
  expect(link.tracks).toEqual([
    {
      direction: "in",
      participant: "a",
      source: "camera",
      codec: "VP8",
      bitrate: 1_000_000,
      loss: 0.1,
      freezes: 1,
      layers: [{ width: 640, height: 360, frameRate: 30, mode: null }],
    },
  ]);
});

test("the layers of a camera are one track, with the loss that the receiver reports", () => {
  const outbound = (rid: string, height: number, bytesSent: number) => ({
    type: "outbound-rtp",
    kind: "video",
    rid,
    mediaSourceId: "source",
    codecId: "vp8",
    remoteId: `far-${rid}`,
    bytesSent,
    packetsSent: bytesSent / 1000,
    frameWidth: height * 2,
    frameHeight: height,
    framesEncoded: bytesSent / 2_000,
    scalabilityMode: "L1T3",
  });
  const entries = (bytes: number, lost: number): Entries => ({
    q: outbound("q", 180, bytes),
    h: outbound("h", 360, 2 * bytes),
    f: outbound("f", 720, 0),
    source: { type: "media-source", trackIdentifier: "mine" },
    vp8: { type: "codec", mimeType: "video/VP8" },
    "far-h": { type: "remote-inbound-rtp", packetsLost: lost },
  });
  const before = measure(entries(0, 0), undefined, 0);
  const { link } = measure(entries(100_000, 20), before);
  expect(link.tracks).toMatchObject([
    { direction: "out", source: "camera", bitrate: 1_200_000, loss: 0.1 },
  ]);
  expect(link.tracks[0]?.layers).toEqual([
    { width: 720, height: 360, frameRate: 50, mode: "L1T3" },
    { width: 360, height: 180, frameRate: 25, mode: "L1T3" },
  ]);
});

test("the path names both candidates, as Chromium and as Firefox mark the pair", () => {
  const pair = {
    type: "candidate-pair",
    localCandidateId: "l",
    remoteCandidateId: "r",
    currentRoundTripTime: 0.025,
  };
  const ends = {
    l: { type: "local-candidate", candidateType: "relay", relayProtocol: "tls", protocol: "udp" },
    r: { type: "remote-candidate", candidateType: "host", protocol: "udp" },
  };
  const transport = { type: "transport", selectedCandidatePairId: "p" };
  for (const entries of [
    { ...ends, p: pair, t: transport },
    { ...ends, p: { ...pair, selected: true } },
  ]) {
    expect(measure(entries).link).toMatchObject({ roundTrip: 25, path: "relay/tls ⇄ host/udp" });
  }
  expect(measure({}).link).toMatchObject({ roundTrip: null, path: null });
});

const track = (change: Partial<TrackStats>): TrackStats => ({
  direction: "in",
  participant: "a",
  source: "camera",
  codec: "VP8",
  bitrate: 100_000,
  loss: 0,
  freezes: 0,
  layers: [],
  ...change,
});
const link = (to: string, roundTrip: number, ...tracks: TrackStats[]): LinkStats => ({
  to,
  roundTrip,
  path: null,
  tracks,
});

test("in a mesh the quality is the worse of both directions", () => {
  const qualities = qualitiesOf(
    [link("a", 20, track({}), track({ direction: "out", loss: 0.05 }))],
    "me",
  );
  expect(Object.fromEntries(qualities)).toEqual({ a: "fair", me: "fair" });
});

test("at the media server each publisher has its own quality, and self that of the uplink", () => {
  const qualities = qualitiesOf(
    [
      link(
        "sfu",
        20,
        track({}),
        track({ participant: "b", loss: 0.2 }),
        track({ direction: "out", participant: "sfu", loss: 0 }),
      ),
    ],
    "me",
  );
  expect(Object.fromEntries(qualities)).toEqual({ a: "good", b: "poor", me: "good" });
});

test("a long round trip and freezes lower the quality", () => {
  const of = (roundTrip: number, freezes: number) =>
    qualitiesOf([link("a", roundTrip, track({ freezes }))], "me").get("a");
  expect([of(50, 0), of(500, 0), of(1_000, 0), of(50, 1), of(50, 2)]).toEqual([
    "good",
    "fair",
    "poor",
    "fair",
    "poor",
  ]);
});

test("two minutes of samples are kept", () => {
  let statistics = NO_STATISTICS;
  const now = [link("a", 30, track({}), track({ direction: "out", bitrate: 5, loss: 0.5 }))];
  for (let n = 0; n < 100; n++) statistics = reduceStatistics(statistics, now, n);
  expect(statistics.samples).toHaveLength(60);
  expect(statistics.samples.at(-1)).toEqual({
    at: 99,
    in: 100_000,
    out: 5,
    loss: 0.5,
    roundTrip: 30,
  });
});
