import { expect, test } from "vitest";
import type { RtcStats } from "../rtc/rtc-stats.ts";
import { type PageCounters, pageReport } from "./page-report.ts";
import type { TrackOwners } from "./track-owners.ts";

const owners: TrackOwners = {
  received: (id) => ({ participant: id, source: "camera" }),
  local: () => "camera",
};

function report(entries: Record<string, RtcStats>, before: PageCounters = new Map()) {
  const links = [{ to: "sfu", report: new Map(Object.entries(entries)) }];
  return pageReport({ links, owners, before, seconds: 10 });
}

const inbound = (id: string, change: object = {}): RtcStats => ({
  type: "inbound-rtp",
  kind: "video",
  trackIdentifier: id,
  bytesReceived: 0,
  packetsReceived: 0,
  ...change,
});

test("the first measurement has nothing to compare with", () => {
  expect(report({ a: inbound("ann") }).request).toBeNull();
});

test("pictures that froze for a second stood still, and only those that flow are seen", () => {
  const { counters } = report({ a: inbound("ann"), b: inbound("ben"), c: inbound("cy") });
  const flowing = { bytesReceived: 1_000_000, packetsReceived: 90, packetsLost: 10 };
  const { request } = report(
    {
      a: inbound("ann", { ...flowing, freezeCount: 2, totalFreezesDuration: 1.5 }),
      b: inbound("ben", { ...flowing, freezeCount: 1, totalFreezesDuration: 0.2 }),
      c: inbound("cy"),
    },
    counters,
  );
  expect(request).toMatchObject({
    seen: ["ann", "ben"],
    still: ["ann"],
    freezes: 3,
    lossDown: 100,
    kbpsDown: 1600,
  });
});

test("the uplink has the loss at its far end, the strongest limit and the worst transport", () => {
  const outbound = (bytesSent: number, packetsLost: number, limit: string) => ({
    o: {
      type: "outbound-rtp",
      kind: "video",
      remoteId: "far",
      bytesSent,
      packetsSent: bytesSent / 1000,
      framesEncoded: bytesSent / 10_000,
      qualityLimitationReason: limit,
    } as RtcStats,
    far: { type: "remote-inbound-rtp", packetsLost },
    t: { type: "transport", selectedCandidatePairId: "p" },
    p: {
      type: "candidate-pair",
      localCandidateId: "l",
      remoteCandidateId: "r",
      currentRoundTripTime: 0.04,
    },
    l: { type: "local-candidate", candidateType: "relay", relayProtocol: "tls", protocol: "udp" },
    r: { type: "remote-candidate", candidateType: "host", protocol: "udp" },
  });
  const { counters } = report(outbound(0, 0, "none"));
  const { request } = report(outbound(1_000_000, 110, "cpu"), counters);
  expect(request).toMatchObject({
    lossUp: 110,
    kbpsUp: 800,
    framesUp: 10,
    limit: "cpu",
    transport: "relay_tcp",
    roundTrip: 40,
  });
});
