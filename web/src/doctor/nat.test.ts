import { expect, test } from "vitest";
import { natFacts } from "./nat.ts";

function candidate(type: string, address: string, port: number, relatedPort = 0): RTCIceCandidate {
  const foundation = type;
  return { protocol: "udp", type, address, port, relatedPort, foundation } as RTCIceCandidate;
}

const host = candidate("host", "b1b2.local", 50_000);

function judge(candidates: RTCIceCandidate[], isComplete = true) {
  return natFacts({ candidates, isComplete }, 2).nat;
}

test("two ports of one socket are an endpoint-dependent mapping", () => {
  const mapped = [61_000, 61_001].map((port) => candidate("srflx", "198.51.100.9", port));
  expect(judge([host, ...mapped])).toBe("endpointDependent");
  expect(judge([host, ...mapped], false)).toBe("endpointDependent");
});

test("one port, or no NAT, is an endpoint-independent mapping", () => {
  expect(judge([host, candidate("srflx", "198.51.100.9", 61_000)])).toBe("endpointIndependent");
  expect(judge([host])).toBe("endpointIndependent");
});

test("two sockets with a port each are no evidence", () => {
  const second = candidate("host", "c1c2.local", 50_001);
  const mapped = [50_000, 50_001].map((own) => candidate("srflx", "198.51.100.9", own + 9, own));
  expect(judge([host, second, ...mapped])).toBe("endpointIndependent");
});

test("nothing is known if a server did not answer, or there is only one", () => {
  expect(judge([host, candidate("srflx", "198.51.100.9", 61_000)], false)).toBeUndefined();
  const one = { candidates: [host], isComplete: true };
  expect(natFacts(one, 0)).toEqual({ hostCandidates: 1 });
});

test("the address that STUN sees is a fact", () => {
  const candidates = [host, candidate("srflx", "198.51.100.9", 61_000)];
  expect(natFacts({ candidates, isComplete: false }, 0).stunAddress).toBe("198.51.100.9");
});
