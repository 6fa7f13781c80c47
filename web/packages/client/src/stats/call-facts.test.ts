import { expect, test } from "vitest";
import type { RtcStats } from "../rtc/rtc-stats.ts";
import { addSnapshot, type CallSnapshot, callFacts, callSnapshot } from "./call-facts.ts";
import type { TrackOwners } from "./track-owners.ts";

const owners: TrackOwners = {
  received: (id) => ({ participant: id, source: "camera" }),
  local: () => "camera",
};

/** Snapshots every two seconds of one link to the media server, with entries by interval. */
function facts(count: number, entries: (interval: number) => Record<string, RtcStats>) {
  let snapshots: readonly CallSnapshot[] = [];
  for (let interval = 0; interval < count; interval++) {
    const links = [{ to: "sfu", report: new Map(Object.entries(entries(interval))) }];
    snapshots = addSnapshot(snapshots, callSnapshot({ links, owners, at: 2_000 * interval }));
  }
  return callFacts(snapshots);
}

const path = (protocol: string): Record<string, RtcStats> => ({
  t: { type: "transport", selectedCandidatePairId: "p" },
  p: {
    type: "candidate-pair",
    localCandidateId: "l",
    remoteCandidateId: "r",
    currentRoundTripTime: 0.04,
    availableOutgoingBitrate: 700_000,
  },
  l: { type: "local-candidate", candidateType: "relay", relayProtocol: protocol, protocol: "udp" },
  r: { type: "remote-candidate", candidateType: "host", protocol: "udp" },
});

const inbound = (id: string, interval: number, lost: number, frozen: number): RtcStats => ({
  type: "inbound-rtp",
  kind: "video",
  trackIdentifier: id,
  bytesReceived: 1_000 * interval,
  packetsReceived: 100 * interval,
  packetsLost: lost * interval,
  framesDecoded: 60 * interval,
  totalFreezesDuration: frozen * interval,
  jitter: 0.012,
});

test("nothing is known in the first seconds, and without a link", () => {
  expect(facts(2, () => path("udp"))).toBeNull();
  expect(callFacts([0, 1, 2].map((at) => ({ at, links: new Map() })))).toBeNull();
});

test("participants are told apart, and only the last 20 seconds count", () => {
  const found = facts(31, (interval) => ({
    ...path("tls"),
    a: inbound("ann", interval, 10, 0),
    b: inbound("ben", interval, 0, 0.2),
    // Bad in the beginning only.
    c: inbound("cy", interval, 0, 0),
    d: { ...inbound("dee", interval, 0, 0), packetsLost: 40 },
  }));
  expect(found).toMatchObject({
    transport: "tls",
    sent: [{ packets: 0, lost: 0, rttMs: 40 }],
    availableKbps: 700,
    jitterMs: 12,
    publishers: [
      { packets: 1_000, lost: 100, hasPicture: true, isStill: false },
      { packets: 1_000, lost: 0, hasPicture: true, isStill: true },
      { packets: 1_000, lost: 0, hasPicture: true, isStill: false },
      { packets: 1_000, lost: 0, hasPicture: true, isStill: false },
    ],
  });
});

test("a stream that changes its participant starts over", () => {
  const found = facts(4, (interval) => ({
    ...path("udp"),
    a: {
      ...inbound(interval < 2 ? "ann" : "ben", interval, 0, 0),
      packetsReceived: 100 * interval,
    },
  }));
  expect(found?.publishers).toEqual([
    { packets: 100, lost: 0, hasPicture: true, isStill: false },
    { packets: 100, lost: 0, hasPicture: true, isStill: false },
  ]);
});

test("the slowest encoding counts, and how often the encoder was limited", () => {
  const outbound = (interval: number, ms: number, frames: number): RtcStats => ({
    type: "outbound-rtp",
    kind: "video",
    mediaSourceId: "m",
    remoteId: "far",
    bytesSent: 1_000 * interval,
    packetsSent: 210 * interval,
    retransmittedPacketsSent: 10 * interval,
    framesEncoded: frames * interval,
    totalEncodeTime: (ms * frames * interval) / 1000,
    qualityLimitationReason: interval % 2 === 0 ? "cpu" : "none",
  });
  const found = facts(5, (interval) => ({
    ...path("udp"),
    m: { type: "media-source", trackIdentifier: "own", framesPerSecond: 30, height: 720 },
    far: { type: "remote-inbound-rtp", packetsLost: 8 * interval },
    full: outbound(interval, 40, 30),
    half: outbound(interval, 10, 60),
  }));
  expect(found).toMatchObject({
    encodedRate: 15,
    capturedRate: 30,
    height: 720,
    limitedCpu: 0.5,
    limitedBandwidth: 0,
    // Of each stream the larger of the far end's count, 8, and the retransmissions, 10.
    sent: [{ packets: 1_600, lost: 80 }],
  });
  expect(found?.encodeMs).toBeCloseTo(40);
});
