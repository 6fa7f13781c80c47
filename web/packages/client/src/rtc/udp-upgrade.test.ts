import { beforeEach, expect, test, vi } from "vitest";
import { UdpUpgrade } from "./udp-upgrade.ts";

beforeEach(() => void vi.useFakeTimers());

/** An upgrade of a connection over `protocol`, and the seconds at which it restarted. */
function start({
  protocol,
  extraDelay = 0,
}: {
  protocol: () => string | null;
  extraDelay?: number;
}) {
  const since = Date.now();
  const restarts: number[] = [];
  const upgrade = new UdpUpgrade({
    protocol: async () => protocol(),
    restart: () => restarts.push((Date.now() - since) / 1000),
    extraDelay,
  });
  return { upgrade, restarts };
}

const HOUR_MS = 3_600_000;

test("a connection over TCP restarts ICE, ever later, and gives up", async () => {
  const { upgrade, restarts } = start({ protocol: () => "tcp" });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(restarts).toEqual([4, 34, 154]);
});

test("a connection over UDP is left alone", async () => {
  const { upgrade, restarts } = start({ protocol: () => "udp" });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(restarts).toEqual([]);
});

test("restarts end with the first that leads to UDP", async () => {
  const found = { restarted: false };
  const { upgrade, restarts } = start({ protocol: () => (found.restarted ? "udp" : "tls") });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(4_000);
  found.restarted = true;
  upgrade.observe("connecting");
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(restarts).toEqual([4]);
});

test("the other end comes later", async () => {
  const { upgrade, restarts } = start({ protocol: () => "tcp", extraDelay: 1_000 });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(restarts).toEqual([5]);
});

test("a connection that is lost or closed is not restarted", async () => {
  const { upgrade, restarts } = start({ protocol: () => "tcp" });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(3_999);
  upgrade.observe("disconnected");
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  upgrade.observe("connected");
  upgrade.close();
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(restarts).toEqual([]);
});

test("unknown transport restarts nothing", async () => {
  const { upgrade, restarts } = start({ protocol: () => null });
  upgrade.observe("connected");
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(restarts).toEqual([]);
});
