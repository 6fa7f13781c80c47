// A link to the media server beside the one that it replaces.
import { expect, test, vi } from "vitest";
import { NO_TRACKS } from "../rtc/source.ts";
import type { FakePeer } from "../testing/peer.ts";
import {
  connectSfu,
  flow,
  forgetSent,
  forward,
  payloads,
  peers,
  poll,
  replaceServer,
  room,
  router,
  seen,
  sending,
  subscribed,
  trackAt,
  trackIds,
  world,
} from "../testing/router-world.ts";

/** A call with `a` over the media server, whose process changes: the next link is opened. */
async function replaced() {
  room("sfu", "a");
  const former = await connectSfu();
  const before = await forward(["a", "microphone"], ["a", "camera"]);
  await flow(former, ...before);
  const shown = trackIds("a");
  expect(shown).toEqual(before.map((mid) => trackAt(former, mid)));
  replaceServer();
  forgetSent();
  router.restart(true);
  return { former, before, shown };
}

test("a link to another server begins beside the former one, which media goes on by", async () => {
  const { former, shown } = await replaced();
  expect([peers.length, former.closed]).toEqual([2, false]);
  await poll();
  expect(trackIds("a")).toEqual(shown);
  expect(seen.get("a")?.connection).toBe("connected");
  const link = await connectSfu();
  expect(link).not.toBe(former);
  const mids = await forward(["a", "microphone"], ["a", "camera"]);
  expect(trackIds("a")).toEqual(shown);
  link.deliver(mids[0] ?? "");
  await poll();
  link.deliver(mids[0] ?? "");
  await poll();
  expect(new Set(trackIds("a"))).toEqual(new Set([trackAt(link, mids[0] ?? ""), shown?.[1]]));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(former.closed).toBe(false);
  await flow(link, mids[1] ?? "");
  expect(former.closed).toBe(true);
  expect(new Set(trackIds("a"))).toEqual(new Set(mids.map((mid) => trackAt(link, mid))));
});

test("the first frame is enough after a link that is dead, and not after one that delivers", async () => {
  const { former, before } = await replaced();
  const link = await connectSfu();
  const mids = await forward(["a", "camera"]);
  const [mid = ""] = mids;
  const deliver = async (...links: [FakePeer, string][]) => {
    for (const [peer, section] of links) peer.deliver(section);
    await vi.advanceTimersByTimeAsync(100);
    await world.run();
  };
  const camera = () => trackIds("a")?.includes(trackAt(link, mid) ?? "");
  for (let n = 0; n < 8; n++) await deliver([former, before[1] ?? ""]);
  for (let n = 0; n < 2; n++) await deliver([former, before[1] ?? ""], [link, mid]);
  expect(camera()).toBe(false);
  for (let n = 0; n < 5; n++) await deliver();
  expect(camera()).toBe(true);
});

test("a former link says nothing to the server, and sends what the device sends", async () => {
  const { former } = await replaced();
  await connectSfu();
  forgetSent();
  router.setTracks(sending("microphone", "camera", "screen"));
  await world.run();
  const offers = payloads("signal") as { description: RTCSessionDescription }[];
  const ufrag = (sdp?: string) => /ice-ufrag:(\S+)/.exec(sdp ?? "")?.[1];
  const newest = ufrag(peers.at(-1)?.localDescription?.sdp);
  expect(offers.map(({ description }) => ufrag(description.sdp))).toEqual([newest]);
  router.setTracks(NO_TRACKS);
  await world.run();
  for (const { sender } of former.transceivers) expect(sender.track).toBeNull();
});

test("a former link ends with its server, with the call, and after ten seconds", async () => {
  const first = await replaced();
  first.former.setConnectionState("failed");
  await world.run();
  expect(first.former.closed).toBe(true);
  await connectSfu();
  router.restart(true);
  const second = peers.at(-2);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(second?.closed).toBe(false);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(second?.closed).toBe(true);
});

test("a participant with two links is shown by the newer one once that delivers", async () => {
  room("sfu", "a");
  const link = await connectSfu();
  const [older = "", newer = ""] = await forward(["a", "microphone"], ["b", "microphone"]);
  subscribed([older, "a", "microphone"]);
  await flow(link, older);
  subscribed([older, "a", "microphone"], [newer, "a", "microphone"]);
  await poll();
  expect(trackIds("a")).toEqual([trackAt(link, older)]);
  await flow(link, newer);
  expect(trackIds("a")).toEqual([trackAt(link, newer)]);
});
