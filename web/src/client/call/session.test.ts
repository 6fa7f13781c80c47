import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LocalMediaDevices } from "../devices/local-media.ts";
import type { Joined, MediaState } from "../protocol.ts";
import { Signaling } from "../signaling/signaling.ts";
import { FakeDevices, fakeStream } from "../testing/media.ts";
import { FakePeer } from "../testing/peer.ts";
import { Scheduler } from "../testing/scheduler.ts";
import { FakeSocket } from "../testing/socket.ts";
import { subscribeRoomEvents } from "./room-events.ts";
import { Session } from "./session.ts";

const OFF: MediaState = { mic: false, camera: false, screen: false, hand: false };

let world: Scheduler;
let socket: FakeSocket;
let media: LocalMediaDevices;
let peers: FakePeer[];
let session: Session;

/** `m` is oneself: impolite to `a`, polite to `z`. */
function joined(others: string[], change: Partial<Joined> = {}): Joined {
  return {
    self: { id: "m", name: "M", media: OFF, direct: false },
    room: { name: "tea", participants: others.length + 1, capacity: 9, locked: false },
    participants: others.map((id) => ({ id, name: id, media: OFF, direct: false })),
    topology: "mesh",
    iceServers: [{ urls: ["stun:one"] }],
    resume: "token",
    resumeSeconds: 30,
    resumed: false,
    last: 4,
    ...change,
  };
}

function join(...others: string[]): void {
  const signaling = new Signaling(socket);
  session = new Session({
    signaling,
    media,
    request: { room: "tea", name: "M", password: "secret" },
    joined: joined(others),
    platform: {
      createPeer: (configuration) => {
        const peer = new FakePeer(world, `p${peers.length}`, configuration);
        peers.push(peer);
        return peer.asPeer;
      },
      createStream: fakeStream,
    },
  });
  subscribeRoomEvents(signaling, (event, number) => session.handle(event, number));
}

beforeEach(() => {
  vi.useFakeTimers();
  world = new Scheduler(1);
  socket = new FakeSocket();
  socket.connected = true;
  peers = [];
  media = new LocalMediaDevices({
    devices: new FakeDevices().asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
});
afterEach(() => {
  session.leave();
  vi.useRealTimers();
});

const call = () => session.getSnapshot();
const signals = () => socket.requests("signal").map(({ payload }) => payload);

test("the end that isn't polite opens the link, with the credentials of the join", async () => {
  join("a", "z");
  await world.run();
  expect(peers).toHaveLength(2);
  expect(signals()[0]).toMatchObject({ to: "a", description: { type: "offer" } });
  expect(signals().filter(({ to }) => to === "z")).toEqual([]);
  expect(peers[0]?.configuration.iceServers).toEqual([{ urls: ["stun:one"] }]);
});

test("an offer is adopted and answered, and its link reported", async () => {
  join("z");
  await media.start({ microphone: true, camera: true });
  const far = new FakePeer(world, "far");
  far.addTransceiver("audio");
  far.addTransceiver("video");
  void far.setLocalDescription();
  await world.run();
  socket.tell("signal", { from: "z", description: far.localDescription }, 5);
  await world.run();
  expect(signals()[0]).toMatchObject({ to: "z", description: { type: "answer" } });
  const [audio, video] = peers[0]?.getTransceivers() ?? [];
  expect(audio?.sender.track).toBe(media.tracks.getSnapshot().microphone);
  expect(video?.sender.track).toBe(media.tracks.getSnapshot().camera);
  expect(video?.direction).toBe("sendrecv");
  peers[0]?.become("connected");
  expect(call().others[0]).toMatchObject({ id: "z", connection: "connected" });
  expect(call().others[0]?.stream?.getTracks()).toHaveLength(2);
});

test("links come and go with the others", () => {
  join("a");
  socket.tell("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 5);
  expect(peers).toHaveLength(2);
  socket.tell("participant:left", { id: "a" }, 6);
  expect(peers[0]?.closed).toBe(true);
  expect(call().others.map(({ id }) => id)).toEqual(["b"]);
});

test("what the system mutes is told to the others, and its end", async () => {
  const devices = new FakeDevices();
  media = new LocalMediaDevices({
    devices: devices.asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  join("a");
  await media.start({ microphone: true, camera: false });
  const told = () => socket.requests("media").map(({ payload }) => payload);
  devices.live[0]?.interrupt();
  expect(told().at(-1)).toEqual({
    ...OFF,
    mic: true,
    interrupted: { mic: true, camera: false },
  });
  devices.live[0]?.interrupt(false);
  expect(told().at(-1)).toEqual({ ...OFF, mic: true });
  expect(told()).toHaveLength(3);
  // What is muted anyway is not interrupted.
  await media.setMicrophone(false);
  devices.live[0]?.interrupt();
  expect(told()).toHaveLength(4);
});

test("the devices' state is told to the others, once for each change", async () => {
  join("a");
  expect(socket.requests("media")).toEqual([]);
  await media.start({ microphone: true, camera: false });
  expect(socket.requests("media").map(({ payload }) => payload)).toEqual([{ ...OFF, mic: true }]);
  session.setHand(true);
  expect(socket.requests("media").at(-1)?.payload).toEqual({ ...OFF, mic: true, hand: true });
  expect(call().self.media.hand).toBe(true);
});

test("fresh credentials reach every link", () => {
  join("a");
  socket.tell("ice:servers", { iceServers: [{ urls: ["turn:two"] }] });
  expect(peers[0]?.configuration.iceServers).toEqual([{ urls: ["turn:two"] }]);
});

test("a dropped call is resumed with its token and number, and misses nothing", async () => {
  join("a");
  socket.tell("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 7);
  await world.run();
  const unacknowledged = socket.requests("signal").length;
  expect(unacknowledged).toBeGreaterThan(0);
  socket.drop();
  expect(call().status).toBe("reconnecting");
  expect(peers.some(({ closed }) => closed)).toBe(false);
  session.setHand(true);
  expect(socket.asked).toEqual([]);
  socket.arrive();
  expect(socket.request("room:join").payload).toMatchObject({
    room: "tea",
    password: "secret",
    resume: "token",
    last: 7,
  });
  expect(socket.requests("signal")).toEqual([]);
  socket.request("room:join").ok(joined(["a", "b"], { resumed: true, last: 7, resume: "next" }));
  expect(call().status).toBe("joined");
  expect(socket.requests("signal")).toHaveLength(unacknowledged);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ hand: true });
  // What was had before the drop does nothing when it comes again.
  socket.tell("participant:left", { id: "b" }, 7);
  expect(call().others).toHaveLength(2);
  socket.tell("participant:left", { id: "b" }, 8);
  expect(call().others).toHaveLength(1);
});

test("a resumed call looks for new paths on every link", async () => {
  join("a");
  await world.run();
  const offer = signals()[0]?.description as { sdp: string };
  const far = new FakePeer(world, "far");
  void far.setRemoteDescription({ type: "offer", sdp: offer.sdp });
  void far.setLocalDescription();
  await world.run();
  socket.tell("signal", { from: "a", description: far.localDescription }, 5);
  await world.run();
  const before = peers[0]?.fragment;
  socket.drop();
  socket.arrive();
  socket.request("room:join").ok(joined(["a"], { resumed: true }));
  await world.run();
  expect(peers[0]?.fragment).not.toBe(before);
  expect(peers).toHaveLength(1);
});

test("when the grace is over it joins anew, with new links, as somebody else", async () => {
  join("a");
  await world.run();
  socket.drop();
  socket.arrive();
  socket.request("room:join").refuse("resume_expired");
  const again = socket.request("room:join");
  expect(again.payload).not.toHaveProperty("resume");
  again.ok(joined(["a"], { self: { id: "n", name: "M", media: OFF, direct: false }, last: 2 }));
  expect(call()).toMatchObject({ status: "joined", self: { id: "n" } });
  expect(peers).toHaveLength(2);
  expect(peers[0]?.closed).toBe(true);
  socket.tell("participant:left", { id: "a" }, 3);
  expect(call().others).toEqual([]);
});

test("a room that fills or shuts meanwhile ends the call with the reason", () => {
  join("a");
  socket.drop();
  socket.arrive();
  socket.request("room:join").refuse("resume_expired");
  socket.request("room:join").refuse("room_full");
  expect(call()).toMatchObject({ status: "ended", error: { code: "room_full" } });
  expect(peers[0]?.closed).toBe(true);
});

test("a server that is busy is asked again", () => {
  join("a");
  socket.drop();
  socket.arrive();
  socket.request("room:join").refuse("rate_limited");
  expect(socket.asked).toEqual([]);
  vi.advanceTimersByTime(5_000);
  expect(socket.request("room:join").payload).toMatchObject({ resume: "token" });
});

test("a join that comes to nothing because the line is cut again waits for the line", () => {
  join("a");
  socket.drop();
  socket.arrive();
  socket.drop();
  vi.advanceTimersByTime(60_000);
  expect(socket.asked).toEqual([]);
  socket.arrive();
  expect(socket.requests("room:join")).toHaveLength(1);
});

test("leaving says so, closes every link and hears nothing more", () => {
  join("a");
  session.leave();
  session.leave();
  expect(socket.requests("room:leave")).toHaveLength(1);
  expect(call()).toMatchObject({ status: "ended", error: null, others: [] });
  expect(peers[0]?.closed).toBe(true);
  socket.tell("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 9);
  socket.drop();
  socket.arrive();
  expect(peers).toHaveLength(1);
  expect(socket.requests("room:join")).toEqual([]);
});

test("a link that fails is restarted, and shown as failed when that does not help", async () => {
  join("a");
  await world.run();
  peers[0]?.become("connected");
  peers[0]?.become("failed");
  expect(call().others[0]?.connection).toBe("reconnecting");
  const before = socket.requests("signal").length;
  vi.advanceTimersByTime(0);
  await world.run();
  expect(socket.requests("signal").length).toBeGreaterThan(before);
  peers[0]?.become("failed");
  vi.advanceTimersByTime(8_000);
  peers[0]?.become("failed");
  expect(call().others[0]?.connection).toBe("failed");
  peers[0]?.become("connected");
  expect(call().others[0]?.connection).toBe("connected");
});

test("a link that no restart helps is begun anew by the end that opened it", async () => {
  join("a");
  await world.run();
  peers[0]?.become("failed");
  vi.advanceTimersByTime(8_000);
  await world.run();
  expect(peers).toHaveLength(1);
  const before = signals().length;
  vi.advanceTimersByTime(16_000);
  await world.run();
  expect(peers).toHaveLength(2);
  expect(peers[0]?.closed).toBe(true);
  expect(signals()[before]).toMatchObject({ to: "a", description: { type: "offer" } });
  peers[1]?.become("connected");
  expect(call().others[0]?.connection).toBe("connected");
});

test("the other end begins anew with it", async () => {
  join("z");
  for (const n of [5, 6]) {
    const far = new FakePeer(world, `far${n}`);
    far.addTransceiver("audio");
    far.addTransceiver("video");
    void far.setLocalDescription();
    await world.run();
    socket.tell("signal", { from: "z", description: far.localDescription }, n);
    await world.run();
    void far.setRemoteDescription(signals().at(-3)?.description as { type: "answer"; sdp: string });
    await world.run();
    expect(far.signalingState).toBe("stable");
  }
  expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
  peers[1]?.become("connected");
  expect(call().others[0]).toMatchObject({ connection: "connected" });
});

test("what is said is shown at once, told in order, and known to be sent when it was", () => {
  join("a");
  session.sendChat("  hello ");
  session.sendChat("   ");
  session.sendChat("there");
  const status = () => call().chat.map(({ text, status }) => [text, status]);
  expect(status()).toEqual([
    ["hello", "sending"],
    ["there", "sending"],
  ]);
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "hello", serial: 1 },
    { text: "there", serial: 2 },
  ]);
  socket.request("chat").ok();
  socket.request("chat").refuse("invalid");
  expect(status()).toEqual([
    ["hello", "sent"],
    ["there", "failed"],
  ]);
  socket.tell("chat", { from: "a", text: "hi", at: 7 }, 5);
  socket.tell("chat", { from: "a", text: "hi", at: 7 }, 5);
  expect(call().chat.at(-1)).toMatchObject({ from: "a", name: "a", text: "hi", at: 7 });
  expect(call().chat).toHaveLength(3);
});

test("what is said while the line is cut goes out when it is back, by the same numbers", () => {
  join("a");
  session.sendChat("one");
  socket.drop();
  session.sendChat("two");
  socket.arrive();
  socket.request("room:join").ok(joined(["a"], { resumed: true }));
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "one", serial: 1 },
    { text: "two", serial: 2 },
  ]);
});

test("who chats too fast is held back, and nothing else is", () => {
  join("a");
  session.sendChat("one");
  socket.request("chat").refuse("rate_limited");
  session.setHand(true);
  expect(socket.requests("media")).toHaveLength(1);
  expect(socket.requests("chat")).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "one", serial: 1 },
  ]);
});

test("a shared screen is told to the others", async () => {
  join("a");
  await media.setScreen(true);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ screen: true });
  await media.setScreen(false);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ screen: false });
});

test("who speaks at the media server is marked, and the loudest has the floor", () => {
  join("a", "b");
  socket.tell("topology", { topology: "sfu" }, 5);
  const speakers = [
    { participant: "b", level: 110 },
    { participant: "a", level: 40 },
  ];
  socket.tell("speakers", { speakers });
  vi.advanceTimersByTime(400);
  expect(call().others.map(({ speaking }) => speaking)).toEqual([false, true]);
  expect(call().speaker).toBe("b");
  socket.tell("speakers", { speakers: [] });
  vi.advanceTimersByTime(2_000);
  expect(call().others.map(({ speaking }) => speaking)).toEqual([false, false]);
  expect(call().speaker).toBe("b");
});
