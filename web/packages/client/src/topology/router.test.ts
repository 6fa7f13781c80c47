import { expect, test, vi } from "vitest";
import type { ErrorCode, SfuRequestKind } from "../protocol.ts";
import { RequestError } from "../signaling/errors.ts";
import { FakePeer } from "../testing/peer.ts";
import {
  connectSfu,
  flow,
  forgetSent,
  forward,
  ON,
  of,
  payloads,
  peers,
  poll,
  room,
  router,
  seen,
  sending,
  sent,
  serve,
  server,
  sfuUnreachable,
  subscribed,
  timesLost,
  trackAt,
  trackIds,
  world,
} from "../testing/router-world.ts";

test("sources are published right before each offer, a camera in three layers", async () => {
  room("sfu", "a", "b");
  await world.run();
  const link = peers[0];
  const order = sent.map(({ event }) => event).filter((e) => e === "publish" || e === "signal");
  expect(order).toEqual(["publish", "signal"]);
  const [first] = payloads("publish") as { tracks: { mid: string; source: string }[] }[];
  expect(first?.tracks.map(({ source }) => source)).toEqual(["microphone", "camera"]);
  expect(first?.tracks.map(({ mid }) => mid)).toEqual(link?.transceivers.map(({ mid }) => mid));
  expect(link?.transceivers.map(({ direction }) => direction)).toEqual(["sendonly", "sendonly"]);
  const layers = link?.transceivers[1]?.sender.getParameters().encodings;
  expect(layers?.map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy])).toEqual([
    ["q", 4],
    ["h", 2],
    ["f", 1],
  ]);
  // The server is ICE-lite and needs no candidates.
  expect(payloads("signal").filter((signal) => "candidate" in signal)).toEqual([]);
});

test("a layer without subscribers is not sent", async () => {
  room("sfu", "a", "b");
  const link = await connectSfu();
  const active = () =>
    link.transceivers[1]?.sender.parameters.encodings.map((encoding) => encoding.active ?? true);
  expect(active()).toEqual([true, true, true]);
  const subscribe = async (...rids: string[]) => {
    router.handleWanted("camera", { shown: rids.length > 0, rids });
    await world.run();
  };
  await subscribe("q", "h");
  expect(active()).toEqual([true, true, true]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([true, true, false]);
  await subscribe();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([false, false, false]);
  await subscribe("h");
  expect(active()).toEqual([false, true, false]);
  // A layer that is subscribed again soon never stops.
  await subscribe("q");
  await subscribe("h");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([false, true, false]);
});

test("a camera turned on later is published in its section without an offer", async () => {
  router.setTracks(sending("microphone"));
  room("sfu", "a", "b");
  const link = await connectSfu();
  const published = () =>
    (payloads("publish").at(-1) as { tracks: { mid: string; source: string }[] }).tracks;
  expect(published().map(({ source }) => source)).toEqual(["microphone"]);
  expect(link.transceivers.map(({ receiver }) => receiver.track.kind)).toEqual(["audio", "video"]);
  const { offerCount } = link;
  router.setTracks(sending("microphone", "camera"));
  await serve();
  expect(published().map(({ mid }) => mid)).toEqual(link.transceivers.map(({ mid }) => mid));
  // Turning it off and on again publishes nothing.
  const times = of("publish").length;
  router.setTracks(sending("microphone"));
  router.setTracks(sending("microphone", "camera"));
  await serve();
  expect([link.offerCount, of("publish").length]).toEqual([offerCount, times]);
});

test("a new link ignores an offer for an earlier one", async () => {
  room("sfu", "a");
  await connectSfu();
  server.addTransceiver("audio");
  void server.setLocalDescription();
  await world.run();
  const late = { description: { ...server.localDescription } as never };
  router.close();
  room("sfu", "a");
  await world.run();
  router.handleSignal("sfu", late);
  await world.run();
  expect(peers.at(-1)?.signalingState).toBe("have-local-offer");
  expect(peers.at(-1)?.remoteDescription).toBeNull();
});

test("a screen is negotiated when first shared, and not when turned off and on again", async () => {
  room("sfu", "a", "b");
  await connectSfu();
  const offers = peers[0]?.offerCount ?? 0;
  router.setTracks(sending("microphone", "camera", "screen", "screen_audio"));
  await serve();
  expect(peers[0]?.offerCount).toBe(offers + 1);
  const sources = (payloads("publish").at(-1) as { tracks: { source: string }[] }).tracks;
  expect(sources.map(({ source }) => source)).toContain("screen_audio");
  router.setTracks(sending("microphone"));
  router.setTracks(sending("microphone", "screen"));
  await serve();
  expect(peers[0]?.offerCount).toBe(offers + 1);
});

test("a track changes its route once the media server delivers video and audio", async () => {
  room("mesh", "a");
  await world.run();
  const mesh = peers[0];
  mesh?.setConnectionState("connected");
  const before = trackIds("a");
  expect(before).toHaveLength(2);
  const { stream } = seen.get("a")?.streams ?? {};

  room("sfu", "a", "b");
  const link = await connectSfu();
  const [microphone = "", camera = ""] = await forward(["a", "microphone"], ["a", "camera"]);
  await poll();
  expect(trackIds("a")).toEqual(before);
  expect(of("handover")).toEqual([]);

  link.deliver(camera);
  link.deliver(microphone);
  await poll();
  expect(new Set(trackIds("a"))).toEqual(new Set([trackAt(link, microphone), before?.[1]]));
  expect(of("handover")).toEqual([]);
  await flow(link, camera);
  expect(new Set(trackIds("a"))).toEqual(
    new Set([trackAt(link, microphone), trackAt(link, camera)]),
  );
  // The media element keeps its stream.
  expect(seen.get("a")?.streams.stream).toBe(stream);
  expect(seen.get("a")?.connection).toBe("connected");
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);

  expect(mesh?.closed).toBe(false);
  router.handleHandover("a", "sfu");
  expect(mesh?.closed).toBe(true);
  expect(trackIds("a")).toHaveLength(2);
});

test("a camera that stalls after its first frames is not switched to", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.setConnectionState("connected");
  const before = trackIds("a");
  room("sfu", "a", "b");
  const link = await connectSfu();
  const [camera = ""] = await forward(["a", "camera"]);
  await poll();
  link.deliver(camera, 5);
  for (let n = 0; n < 20; n++) await poll();
  expect(trackIds("a")).toEqual(before);
  await flow(link, camera);
  expect(trackIds("a")).toContain(trackAt(link, camera));
});

test("a camera with a low frame rate is waited for, but not forever", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.setConnectionState("connected");
  const before = trackIds("a");
  room("sfu", "a", "b");
  const link = await connectSfu();
  const [camera = ""] = await forward(["a", "camera"]);
  const frameASecond = async (times: number) => {
    for (let n = 0; n < times; n++) {
      link.deliver(camera);
      for (let i = 0; i < 2; i++) await poll();
    }
  };
  await frameASecond(4);
  expect(trackIds("a")).toEqual(before);
  await frameASecond(3);
  expect(trackIds("a")).toContain(trackAt(link, camera));
});

test("a participant without active sources gets its handover once the server is reached", async () => {
  room("sfu", { id: "a", media: { ...ON, mic: false, camera: false } });
  await serve();
  expect(of("handover")).toEqual([]);
  peers[0]?.setConnectionState("connected");
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);
});

test("a hidden tile and silent audio are not waited for", async () => {
  room("sfu", "a", "b");
  router.setViewports([
    { participant: "a", source: "camera", width: 0, height: 0 },
    { participant: "b", source: "camera", width: 320, height: 180 },
  ]);
  await connectSfu();
  await forward(["a", "microphone"], ["a", "camera"], ["b", "microphone"], ["b", "camera"]);
  for (let i = 0; i < 6; i++) await poll();
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);
});

test("a section that is reassigned to another publisher starts counting again", async () => {
  room("mesh", "a", "b");
  await world.run();
  for (const peer of peers) peer.setConnectionState("connected");
  room("sfu", "a", { id: "b", media: { ...ON, mic: false } }, "c");
  const link = await connectSfu();
  const [camera = ""] = await forward(["a", "camera"]);
  link.deliver(camera, 100);
  await poll();
  const before = trackIds("b");
  subscribed([camera, "b", "camera"]);
  await poll();
  expect(trackIds("b")).toEqual(before);
  await flow(link, camera);
  expect(trackIds("b")).toContain(trackAt(link, camera));
});

test("an unreachable media server is replaced by the mesh and retried", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.setConnectionState("connected");
  room("sfu", "a", "c");
  await world.run();
  expect(peers).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(8_000);
  expect(sfuUnreachable).toBe(true);
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(peers[1]?.closed).toBe(true);
  expect(peers[0]?.closed).toBe(false);
  expect(peers).toHaveLength(3); // to c

  router.wake();
  await world.run();
  expect(peers).toHaveLength(4);
  peers[3]?.setConnectionState("connected");
  expect(sfuUnreachable).toBe(false);
  expect(payloads("direct").at(-1)).toEqual({ direct: false });
  expect(peers.map(({ closed }) => closed)).toEqual([false, true, false, false]);
});

const refuse = (what: SfuRequestKind, code: ErrorCode = "invalid") =>
  router.handleRefused({ what, error: { code, message: "bad SDP: no media sections" } });

test("a refused first offer gives up the link and is logged", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  await world.run();
  refuse("offer");
  expect(warned.mock.calls.flat()).toEqual([
    "media server: offer refused: bad SDP: no media sections (invalid)",
  ]);
  expect([payloads("direct"), peers[0]?.closed]).toEqual([[{ direct: true }], true]);
  refuse("offer"); // for a closed link
  expect(payloads("direct")).toHaveLength(1);
});

test("a connected link is replaced after a refused offer, then given up", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  const link = await connectSfu();
  refuse("publish");
  refuse("subscribe");
  expect(peers).toHaveLength(1);
  router.setTracks(sending("microphone", "camera", "screen"));
  await world.run();
  forgetSent();
  refuse("offer");
  await world.run();
  expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
  expect(sent.map(({ event }) => event)).toEqual(["publish", "signal", "subscribe"]);
  expect(link.closed).toBe(true);
  refuse("offer");
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(warned).toHaveBeenCalledTimes(4);
});

test("a server that is full is left at once", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  await connectSfu();
  refuse("offer", "server_full");
  expect(payloads("direct")).toEqual([{ direct: true }]);
});

const relays = { urls: ["turn:moim.test:443"], username: "u", credential: "c" };
const serversOf = (peer: FakePeer) => peer.configuration.iceServers?.flatMap(({ urls }) => urls);

test("the link to the media server is direct, without STUN or TURN servers", async () => {
  router.setIceServers([relays]);
  room("sfu", "a", "c");
  const link = await connectSfu();
  const { offerCount } = link;
  await vi.advanceTimersByTimeAsync(60_000);
  await world.run();
  expect(serversOf(link)).toEqual([]);
  expect(link.offerCount).toBe(offerCount);
  // Mesh links have all servers.
  room("sfu", { id: "a", direct: true }, "c");
  expect(peers).toHaveLength(2);
  expect(peers.slice(1).map(serversOf)).toEqual([relays.urls]);
});

test("an unreachable server is tried through relays, a lost link directly", async () => {
  router.setIceServers([relays]);
  room("sfu", "a", "c");
  await serve();
  const link = peers[0];
  if (!link) throw new Error("there is no link");
  const before = link.ufrag;
  await vi.advanceTimersByTimeAsync(1_600);
  await serve();
  expect(serversOf(link)).toEqual(relays.urls);
  expect(link.ufrag).not.toBe(before);
  link.setConnectionState("connected");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([serversOf(link), link.offerCount]).toEqual([relays.urls, 2]);

  link.setConnectionState("disconnected");
  await vi.advanceTimersByTimeAsync(2_500);
  await serve();
  expect([serversOf(link), link.offerCount]).toEqual([[], 3]);
  await vi.advanceTimersByTimeAsync(1_600);
  await serve();
  expect([serversOf(link), link.offerCount]).toEqual([relays.urls, 4]);
  link.setConnectionState("connected");
  expect(of("direct")).toEqual([]);
});

test("a server that rejects the offer is given up at once", async () => {
  room("sfu", "a", "c");
  await world.run();
  of("signal")[0]?.done?.({ error: new RequestError("no_sfu", "") });
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(peers[0]?.closed).toBe(true);
});

test("a replaced peer connection publishes and subscribes again", async () => {
  room("sfu", "a", "c");
  router.setViewports([{ participant: "a", source: "camera", width: 320, height: 160 }]);
  const link = await connectSfu();
  await vi.advanceTimersByTimeAsync(1_000);
  link.setConnectionState("failed");
  await vi.advanceTimersByTimeAsync(10_000);
  forgetSent();
  router.wake();
  await world.run();
  const order = sent.map(({ event }) => event).filter((event) => /publish|subscribe/.test(event));
  expect(order).toEqual(["publish", "subscribe"]);
  expect(payloads("subscribe")).toMatchObject([{ tracks: [{ participant: "a", width: 320 }] }]);
});

test("a lost server link is restarted, and replaced by the mesh after a timeout", async () => {
  room("sfu", "a", "c");
  const link = await connectSfu();
  const before = link.ufrag;
  expect(timesLost).toBe(0);
  link.setConnectionState("failed");
  expect(timesLost).toBe(1);
  await vi.advanceTimersByTimeAsync(1_500);
  await world.run();
  expect(link.ufrag).not.toBe(before);
  expect(of("direct")).toEqual([]);
  await vi.advanceTimersByTimeAsync(8_000);
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(peers.filter(({ closed }) => !closed)).toHaveLength(2);
});

test("a new process of the server gets a new link at once, without a switch to the mesh", async () => {
  room("sfu", "a", "c");
  const link = await connectSfu();
  forgetSent();
  router.restart(true);
  await world.run();
  expect(peers.map(({ closed }) => closed)).toEqual([false, false]);
  // The browser notices that the former process is gone.
  link.setConnectionState("failed");
  await world.run();
  expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
  expect(of("publish")).toHaveLength(1);
  expect(payloads("signal")).toMatchObject([{ to: "sfu", description: { type: "offer" } }]);
  expect(of("direct")).toEqual([]);
});

test("direct participants get a mesh link, and so do participants that offer one", async () => {
  room("sfu", "a", "c");
  await connectSfu();
  room("sfu", { id: "a", direct: true }, "c");
  expect(peers).toHaveLength(2);
  const far = new FakePeer(world, "far");
  far.addTransceiver("audio");
  far.addTransceiver("video");
  void far.setLocalDescription();
  await world.run();
  router.handleSignal("c", { description: { ...far.localDescription } as never });
  await world.run();
  expect(peers).toHaveLength(3);
});

test("back in a mesh the server delivers until the mesh link does", async () => {
  room("sfu", "a", "c");
  const link = await connectSfu();
  const [microphone = "", camera = ""] = await forward(["a", "microphone"], ["a", "camera"]);
  await flow(link, microphone, camera);
  router.handleHandover("a", "sfu");
  const bySfu = trackIds("a");

  room("mesh", "a");
  await world.run();
  const mesh = peers[1];
  await poll();
  expect(trackIds("a")).toEqual(bySfu);
  mesh?.setConnectionState("connected");
  await poll();
  expect(trackIds("a")).toEqual(bySfu);
  await flow(mesh, ...(mesh?.transceivers ?? []).map(({ mid }) => mid ?? ""));
  expect(trackIds("a")).not.toEqual(bySfu);
  expect(payloads("handover").at(-1)).toEqual({ to: "a", topology: "mesh" });
  expect(link.closed).toBe(false);
  router.handleHandover("a", "mesh");
  expect(link.closed).toBe(true);
});

test("viewports are reported once they stop changing, and only if they differ", async () => {
  room("sfu", "a", "b");
  const viewport = (width: number) =>
    ({ participant: "a", source: "camera", width, height: 180 }) as const;
  for (const width of [300, 310, 320]) router.setViewports([viewport(width)]);
  await vi.advanceTimersByTimeAsync(1_000);
  router.setViewports([viewport(322)]);
  await vi.advanceTimersByTimeAsync(1_000);
  const reported = payloads("subscribe").filter(({ tracks }) => (tracks as unknown[]).length > 0);
  expect(reported).toEqual([
    { tracks: [{ participant: "a", source: "camera", width: 320, height: 176 }] },
  ]);
});

test("closing the router closes every link and timer", async () => {
  room("mesh", "a");
  room("sfu", "a", "b");
  await connectSfu();
  router.close();
  expect(peers.every(({ closed }) => closed)).toBe(true);
  const count = sent.length;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(sent).toHaveLength(count);
});
