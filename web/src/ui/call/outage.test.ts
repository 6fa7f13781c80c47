import { expect, test } from "vitest";
import { outageOf } from "./outage.ts";

const connected = { connection: "connected", direct: false } as const;
const broken = { connection: "reconnecting", direct: false } as const;
const now = { seconds: 3, isOnline: true };

test("a call between peers goes on without the server", () => {
  expect(outageOf({ topology: "mesh", others: [broken, connected] }, now)).toBe("away");
  const later = { ...now, seconds: 90 };
  expect(outageOf({ topology: "mesh", others: [connected] }, later)).toBe("away");
});

test("a call through the media server is lost with it, unless media still arrives", () => {
  const call = { topology: "sfu", others: [connected] } as const;
  expect(outageOf(call, now)).toBe("lost");
  expect(outageOf(call, { ...now, latest: { in: 300_000 } })).toBe("away");
  expect(outageOf(call, { ...now, latest: { in: 200 } })).toBe("lost");
  const direct = [{ ...connected, direct: true }];
  expect(outageOf({ topology: "sfu", others: direct }, now)).toBe("away");
});

test("after a minute, or without a network, the words change", () => {
  const call = { topology: "mesh", others: [broken] } as const;
  expect(outageOf(call, { ...now, seconds: 59 })).toBe("lost");
  expect(outageOf(call, { ...now, seconds: 60 })).toBe("trying");
  expect(outageOf(call, { ...now, isOnline: false })).toBe("offline");
  expect(outageOf({ topology: "mesh", others: [] }, now)).toBe("lost");
});
