import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConnectionState, RemoteParticipant } from "../api.ts";
import type { ErrorCode, SubscribedTrack, ToldSfu, Topology, TrackSource } from "../protocol.ts";
import { NO_TRACKS, type Tracks } from "../rtc/source.ts";
import { RequestError } from "../signaling/errors.ts";
import type { Done } from "../signaling/outbox.ts";
import { FakeTrack, fakeStream } from "../testing/media.ts";
import { FakePeer } from "../testing/peer.ts";
import { Scheduler } from "../testing/scheduler.ts";
import type { ParticipantStreams } from "./remote-streams.ts";
import { MediaRouter } from "./router.ts";

const ON = { mic: true, camera: true, screen: false, hand: false };

interface SentRequest {
  event: string;
  payload: Record<string, unknown>;
  done?: Done;
}

let world: Scheduler;
let peers: FakePeer[];
let sent: SentRequest[];
let seen: Map<string, { connection: ConnectionState; streams: ParticipantStreams }>;
let sfuUnreachable: boolean;
let router: MediaRouter;
let server: FakePeer;

beforeEach(() => {
  vi.useFakeTimers();
  world = new Scheduler(1);
  peers = [];
  sent = [];
  seen = new Map();
  sfuUnreachable = false;
  server = new FakePeer(world, "server");
  router = new MediaRouter({
    createPeer: (configuration) => {
      const peer = new FakePeer(world, `p${peers.length}`, configuration);
      peers.push(peer);
      return peer.asPeer;
    },
    createStream: fakeStream,
    send: (event, payload, done) =>
      sent.push({ event, payload: structuredClone(payload), ...(done && { done }) }),
    onParticipant: (id, connection, streams) => seen.set(id, { connection, streams }),
    onSfuUnreachable: (unreachable) => {
      sfuUnreachable = unreachable;
    },
  });
  router.setTracks(sending("microphone", "camera"));
});
afterEach(() => {
  router.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function sending(...sources: TrackSource[]): Tracks {
  const track = (source: string) =>
    new FakeTrack(/mic|audio/.test(source) ? "audio" : "video", source);
  const made = sources.map((source) => [source, track(source)]);
  return { ...NO_TRACKS, ...(Object.fromEntries(made) as unknown as Tracks) };
}

/** `m` is oneself: impolite to `a`, so that links to it are opened here. */
function room(topology: Topology, ...others: (string | Partial<RemoteParticipant>)[]): void {
  router.update({
    self: { id: "m", name: "M", media: ON, speaking: false, quality: null },
    topology,
    others: others.map((other) => ({
      id: typeof other === "string" ? other : "",
      name: "",
      media: ON,
      direct: false,
      speaking: false,
      quality: null,
      connection: "connecting",
      stream: null,
      screen: null,
      ...(typeof other === "string" ? {} : other),
    })),
  });
}

const of = (event: string) => sent.filter((each) => each.event === event);
const payloads = (event: string) => of(event).map(({ payload }) => payload);

/** Brings what was said to the media server there, and its answers back. */
async function serve(): Promise<void> {
  await world.run();
  for (const { payload } of of("signal")) {
    const description = payload.description as RTCSessionDescription | undefined;
    if (payload.to !== "sfu" || !description) continue;
    if (description.type === "offer" && server.signalingState === "stable") {
      void server.setRemoteDescription(description);
      void server.setLocalDescription();
      await world.run();
      router.handleSignal("sfu", { description: { ...server.localDescription } as never });
    } else if (server.signalingState === "have-local-offer") {
      void server.setRemoteDescription(description);
    }
  }
  sent = sent.filter(({ event, payload }) => event !== "signal" || payload.to !== "sfu");
  await world.run();
}

/** The link to the media server, which stands. */
async function connectSfu(): Promise<FakePeer> {
  await serve();
  const link = peers.at(-1);
  if (!link) throw new Error("there is no link");
  link.become("connected");
  await world.run();
  return link;
}

/** The media server sends tracks of others: it tells whose, and then offers the sections. */
async function forward(...tracks: [participant: string, source: TrackSource][]): Promise<string[]> {
  const sections = tracks.map(([, source]) =>
    server.addTransceiver(/mic|audio/.test(source) ? "audio" : "video"),
  );
  void server.setLocalDescription();
  await world.run();
  const mids = sections.map(({ mid }) => mid ?? "");
  subscribed(...tracks.map(([participant, source], i) => [mids[i] ?? "", participant, source]));
  router.handleSignal("sfu", { description: { ...server.localDescription } as never });
  await serve();
  return mids;
}

function subscribed(...tracks: (readonly string[])[]): void {
  router.handleSubscribed(
    tracks.map(([mid, participant, source]) => ({ mid, participant, source }) as SubscribedTrack),
  );
}

/** Time passes, with a look at what came. */
async function look(): Promise<void> {
  await vi.advanceTimersByTimeAsync(600);
  await world.run();
}

/** Something goes on arriving by these sections, for long enough to go by. */
async function flow(peer: FakePeer | undefined, ...mids: string[]): Promise<void> {
  for (let n = 0; n < 4; n++) {
    for (const mid of mids) peer?.receive(mid);
    await look();
  }
}

const trackIds = (id: string) =>
  seen
    .get(id)
    ?.streams.stream?.getTracks()
    .map((track) => track.id);
const trackAt = (peer: FakePeer | undefined, mid: string) =>
  peer?.sections.find((section) => section.mid === mid)?.receiver.track.id;

test("what is published is named right before each offer, a camera in three layers", async () => {
  room("sfu", "a", "b");
  await world.run();
  const link = peers[0];
  const order = sent.map(({ event }) => event).filter((e) => e === "publish" || e === "signal");
  expect(order).toEqual(["publish", "signal"]);
  const [first] = payloads("publish") as { tracks: { mid: string; source: string }[] }[];
  expect(first?.tracks.map(({ source }) => source)).toEqual(["microphone", "camera"]);
  expect(first?.tracks.map(({ mid }) => mid)).toEqual(link?.sections.map(({ mid }) => mid));
  expect(link?.sections.map(({ direction }) => direction)).toEqual(["sendonly", "sendonly"]);
  const layers = link?.sections[1]?.sender.getParameters().encodings;
  expect(layers?.map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy])).toEqual([
    ["q", 4],
    ["h", 2],
    ["f", 1],
  ]);
  // The server is ICE-lite: no candidate of ours is of use to it.
  expect(payloads("signal").filter((signal) => "candidate" in signal)).toEqual([]);
});

test("a layer that nobody wants is not sent until somebody does", async () => {
  room("sfu", "a", "b");
  const link = await connectSfu();
  const active = () =>
    link.sections[1]?.sender.parameters.encodings.map((encoding) => encoding.active ?? true);
  expect(active()).toEqual([true, true, true]);
  const wanted = async (...rids: string[]) => {
    router.handleWanted("camera", { shown: rids.length > 0, rids });
    await world.run();
  };
  await wanted("q", "h");
  expect(active()).toEqual([true, true, true]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([true, true, false]);
  await wanted();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([false, false, false]);
  await wanted("h");
  expect(active()).toEqual([false, true, false]);
  // What is wanted again soon never stopped.
  await wanted("q");
  await wanted("h");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(active()).toEqual([false, true, false]);
});

test("a camera that comes later is published without an offer, and has its section from the first", async () => {
  router.setTracks(sending("microphone"));
  room("sfu", "a", "b");
  const link = await connectSfu();
  const published = () =>
    (payloads("publish").at(-1) as { tracks: { mid: string; source: string }[] }).tracks;
  expect(published().map(({ source }) => source)).toEqual(["microphone"]);
  expect(link.sections.map(({ receiver }) => receiver.track.kind)).toEqual(["audio", "video"]);
  const { offers } = link;
  router.setTracks(sending("microphone", "camera"));
  await serve();
  expect(published().map(({ mid }) => mid)).toEqual(link.sections.map(({ mid }) => mid));
  // Off and on again nothing is left to say.
  const times = of("publish").length;
  router.setTracks(sending("microphone"));
  router.setTracks(sending("microphone", "camera"));
  await serve();
  expect([link.offers, of("publish").length]).toEqual([offers, times]);
});

test("an offer of the media server's for an earlier link is not taken by a new one", async () => {
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

test("a screen is negotiated when first shared, and goes off and on without", async () => {
  room("sfu", "a", "b");
  await connectSfu();
  const offers = peers[0]?.offers ?? 0;
  router.setTracks(sending("microphone", "camera", "screen", "screen_audio"));
  await serve();
  expect(peers[0]?.offers).toBe(offers + 1);
  const sources = (payloads("publish").at(-1) as { tracks: { source: string }[] }).tracks;
  expect(sources.map(({ source }) => source)).toContain("screen_audio");
  router.setTracks(sending("microphone"));
  router.setTracks(sending("microphone", "screen"));
  await serve();
  expect(peers[0]?.offers).toBe(offers + 1);
});

test("a tile changes over when the server has brought a moving picture and a voice, not before", async () => {
  room("mesh", "a");
  await world.run();
  const mesh = peers[0];
  mesh?.become("connected");
  const before = trackIds("a");
  expect(before).toHaveLength(2);
  const { stream } = seen.get("a")?.streams ?? {};

  room("sfu", "a", "b");
  const link = await connectSfu();
  const [voice = "", face = ""] = await forward(["a", "microphone"], ["a", "camera"]);
  await look();
  expect(trackIds("a")).toEqual(before);
  expect(of("handover")).toEqual([]);

  link.receive(face);
  link.receive(voice);
  await look();
  expect(new Set(trackIds("a"))).toEqual(new Set([trackAt(link, voice), before?.[1]]));
  expect(of("handover")).toEqual([]);
  await flow(link, face);
  expect(new Set(trackIds("a"))).toEqual(new Set([trackAt(link, voice), trackAt(link, face)]));
  // The element that plays it never got another stream.
  expect(seen.get("a")?.streams.stream).toBe(stream);
  expect(seen.get("a")?.connection).toBe("connected");
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);

  expect(mesh?.closed).toBe(false);
  router.handleHandover("a", "sfu");
  expect(mesh?.closed).toBe(true);
  expect(trackIds("a")).toHaveLength(2);
});

test("a tile is not changed over to a picture that stands still after its first frames", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.become("connected");
  const before = trackIds("a");
  room("sfu", "a", "b");
  const link = await connectSfu();
  const [face = ""] = await forward(["a", "camera"]);
  await look();
  link.receive(face, 5);
  for (let n = 0; n < 20; n++) await look();
  expect(trackIds("a")).toEqual(before);
  await flow(link, face);
  expect(trackIds("a")).toContain(trackAt(link, face));
});

test("a camera that gives a frame now and then is waited for, but not for ever", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.become("connected");
  const before = trackIds("a");
  room("sfu", "a", "b");
  const link = await connectSfu();
  const [face = ""] = await forward(["a", "camera"]);
  const frameASecond = async (times: number) => {
    for (let n = 0; n < times; n++) {
      link.receive(face);
      for (let i = 0; i < 2; i++) await look();
    }
  };
  await frameASecond(4);
  expect(trackIds("a")).toEqual(before);
  await frameASecond(3);
  expect(trackIds("a")).toContain(trackAt(link, face));
});

test("who has nothing on is told as soon as the server is reached", async () => {
  room("sfu", { id: "a", media: { ...ON, mic: false, camera: false } });
  await serve();
  expect(of("handover")).toEqual([]);
  peers[0]?.become("connected");
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);
});

test("a tile out of viewport is not waited for, nor a voice that stays silent", async () => {
  room("sfu", "a", "b");
  router.setViewports([
    { participant: "a", source: "camera", width: 0, height: 0 },
    { participant: "b", source: "camera", width: 320, height: 180 },
  ]);
  await connectSfu();
  await forward(["a", "microphone"], ["a", "camera"], ["b", "microphone"], ["b", "camera"]);
  for (let i = 0; i < 6; i++) await look();
  expect(payloads("handover")).toEqual([{ to: "a", topology: "sfu" }]);
});

test("a section that carries somebody else starts counting anew", async () => {
  room("mesh", "a", "b");
  await world.run();
  for (const peer of peers) peer.become("connected");
  room("sfu", "a", { id: "b", media: { ...ON, mic: false } }, "c");
  const link = await connectSfu();
  const [face = ""] = await forward(["a", "camera"]);
  link.receive(face, 100);
  await look();
  const before = trackIds("b");
  subscribed([face, "b", "camera"]);
  await look();
  expect(trackIds("b")).toEqual(before);
  await flow(link, face);
  expect(trackIds("b")).toContain(trackAt(link, face));
});

test("a server that is not reached is done without: linked with everybody, told, tried again", async () => {
  room("mesh", "a");
  await world.run();
  peers[0]?.become("connected");
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
  peers[3]?.become("connected");
  expect(sfuUnreachable).toBe(false);
  expect(payloads("direct").at(-1)).toEqual({ direct: false });
  expect(peers.map(({ closed }) => closed)).toEqual([false, true, false, false]);
});

const refuse = (what: ToldSfu, code: ErrorCode = "invalid") =>
  router.handleRefused({ what, error: { code, message: "bad SDP: it says nothing" } });

test("a first offer that the server refuses is the end of the link for a while, and said in the log", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  await world.run();
  refuse("offer");
  expect(warned.mock.calls.flat()).toEqual([
    "media server: offer refused: bad SDP: it says nothing (invalid)",
  ]);
  expect([payloads("direct"), peers[0]?.closed]).toEqual([[{ direct: true }], true]);
  refuse("offer"); // of a link that is gone
  expect(payloads("direct")).toHaveLength(1);
});

test("a link that stands when an offer is refused is begun anew, and given up if that is refused, too", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  const link = await connectSfu();
  refuse("publish");
  refuse("subscribe");
  expect(peers).toHaveLength(1);
  router.setTracks(sending("microphone", "camera", "screen"));
  await world.run();
  sent = [];
  refuse("offer");
  await world.run();
  expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
  expect(sent.map(({ event }) => event)).toEqual(["publish", "signal", "subscribe"]);
  expect(link.closed).toBe(true);
  refuse("offer");
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(warned).toHaveBeenCalledTimes(4);
});

test("a server that has no place any more is left at once", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  room("sfu", "a", "c");
  await connectSfu();
  refuse("offer", "server_full");
  expect(payloads("direct")).toEqual([{ direct: true }]);
});

const relays = { urls: ["turn:moim.test:443"], username: "u", credential: "c" };
const serversOf = (peer: FakePeer) => peer.configuration.iceServers?.flatMap(({ urls }) => urls);

test("the server is reached straight, with no STUN or TURN server to take its answers for theirs", async () => {
  router.setIceServers([relays]);
  room("sfu", "a", "c");
  const link = await connectSfu();
  const { offers } = link;
  await vi.advanceTimersByTimeAsync(60_000);
  await world.run();
  expect(serversOf(link)).toEqual([]);
  expect(link.offers).toBe(offers);
  // Those who are linked peer to peer have all servers as ever.
  room("sfu", { id: "a", direct: true }, "c");
  expect(peers).toHaveLength(2);
  expect(peers.slice(1).map(serversOf)).toEqual([relays.urls]);
});

test("a server that isn't reached straight is tried by relays, and straight again once the link breaks", async () => {
  router.setIceServers([relays]);
  room("sfu", "a", "c");
  await serve();
  const link = peers[0];
  if (!link) throw new Error("there is no link");
  const before = link.fragment;
  await vi.advanceTimersByTimeAsync(1_600);
  await serve();
  expect(serversOf(link)).toEqual(relays.urls);
  expect(link.fragment).not.toBe(before);
  link.become("connected");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([serversOf(link), link.offers]).toEqual([relays.urls, 2]);

  link.become("disconnected");
  await vi.advanceTimersByTimeAsync(2_500);
  await serve();
  expect([serversOf(link), link.offers]).toEqual([[], 3]);
  await vi.advanceTimersByTimeAsync(1_600);
  await serve();
  expect([serversOf(link), link.offers]).toEqual([relays.urls, 4]);
  link.become("connected");
  expect(of("direct")).toEqual([]);
});

test("a server that refuses is done without at once", async () => {
  room("sfu", "a", "c");
  await world.run();
  of("signal")[0]?.done?.({ error: new RequestError("no_sfu", "") });
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(peers[0]?.closed).toBe(true);
});

test("a link begun anew says again what is published and shown", async () => {
  room("sfu", "a", "c");
  router.setViewports([{ participant: "a", source: "camera", width: 320, height: 160 }]);
  const link = await connectSfu();
  await vi.advanceTimersByTimeAsync(1_000);
  link.become("failed");
  await vi.advanceTimersByTimeAsync(10_000);
  sent = [];
  router.wake();
  await world.run();
  const order = sent.map(({ event }) => event).filter((event) => /publish|subscribe/.test(event));
  expect(order).toEqual(["publish", "subscribe"]);
  expect(payloads("subscribe")).toMatchObject([{ tracks: [{ participant: "a", width: 320 }] }]);
});

test("a server link that breaks is restarted, and left for the mesh where that takes too long", async () => {
  room("sfu", "a", "c");
  const link = await connectSfu();
  const before = link.fragment;
  link.become("failed");
  await vi.advanceTimersByTimeAsync(1_500);
  await world.run();
  expect(link.fragment).not.toBe(before);
  expect(of("direct")).toEqual([]);
  await vi.advanceTimersByTimeAsync(8_000);
  expect(payloads("direct")).toEqual([{ direct: true }]);
  expect(peers.filter(({ closed }) => !closed)).toHaveLength(2);
});

test("whoever says that it can't use the server is linked, and whoever offers is answered", async () => {
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

test("back in a mesh the server feeds a tile until the new link does", async () => {
  room("sfu", "a", "c");
  const link = await connectSfu();
  const [voice = "", face = ""] = await forward(["a", "microphone"], ["a", "camera"]);
  await flow(link, voice, face);
  router.handleHandover("a", "sfu");
  const bySfu = trackIds("a");

  room("mesh", "a");
  await world.run();
  const mesh = peers[1];
  await look();
  expect(trackIds("a")).toEqual(bySfu);
  mesh?.become("connected");
  await look();
  expect(trackIds("a")).toEqual(bySfu);
  await flow(mesh, ...(mesh?.sections ?? []).map(({ mid }) => mid ?? ""));
  expect(trackIds("a")).not.toEqual(bySfu);
  expect(payloads("handover").at(-1)).toEqual({ to: "a", topology: "mesh" });
  expect(link.closed).toBe(false);
  router.handleHandover("a", "mesh");
  expect(link.closed).toBe(true);
});

test("the server is told what is shown once it has come to rest, and only what is new", async () => {
  room("sfu", "a", "b");
  const viewport = (width: number) =>
    ({ participant: "a", source: "camera", width, height: 180 }) as const;
  for (const width of [300, 310, 320]) router.setViewports([viewport(width)]);
  await vi.advanceTimersByTimeAsync(1_000);
  router.setViewports([viewport(322)]);
  await vi.advanceTimersByTimeAsync(1_000);
  const told = payloads("subscribe").filter(({ tracks }) => (tracks as unknown[]).length > 0);
  expect(told).toEqual([
    { tracks: [{ participant: "a", source: "camera", width: 320, height: 176 }] },
  ]);
});

test("a call that ends closes everything", async () => {
  room("mesh", "a");
  room("sfu", "a", "b");
  await connectSfu();
  router.close();
  expect(peers.every(({ closed }) => closed)).toBe(true);
  const count = sent.length;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(sent).toHaveLength(count);
});
