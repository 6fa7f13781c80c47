import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JoinRequest } from "../api.ts";
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
let request: JoinRequest;

/** A join as participant `m`, which is impolite to `a` and polite to `z`. */
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
    request,
    joined: joined(others),
    formerIds: [],
    device: "device-of-the-test",
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
  request = { room: "tea", name: "M", password: "secret" };
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

test("the impolite end opens the link, with the ICE servers of the join", async () => {
  join("a", "z");
  await world.run();
  expect(peers).toHaveLength(2);
  expect(signals()[0]).toMatchObject({ to: "a", description: { type: "offer" } });
  expect(signals().filter(({ to }) => to === "z")).toEqual([]);
  expect(peers[0]?.configuration.iceServers).toEqual([{ urls: ["stun:one"] }]);
});

test("an offer is adopted and answered, and the link is reported as connected", async () => {
  join("z");
  await media.start({ microphone: true, camera: true });
  const far = new FakePeer(world, "far");
  far.addTransceiver("audio");
  far.addTransceiver("video");
  void far.setLocalDescription();
  await world.run();
  socket.receive("signal", { from: "z", description: far.localDescription }, 5);
  await world.run();
  expect(signals()[0]).toMatchObject({ to: "z", description: { type: "answer" } });
  const [audio, video] = peers[0]?.getTransceivers() ?? [];
  expect(audio?.sender.track).toBe(media.tracks.getSnapshot().microphone);
  expect(video?.sender.track).toBe(media.tracks.getSnapshot().camera);
  expect(video?.direction).toBe("sendrecv");
  peers[0]?.setConnectionState("connected");
  expect(call().others[0]).toMatchObject({ id: "z", connection: "connected" });
  expect(call().others[0]?.stream?.getTracks()).toHaveLength(2);
});

test("links are opened and closed as participants join and leave", () => {
  join("a");
  socket.receive("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 5);
  expect(peers).toHaveLength(2);
  socket.receive("participant:left", { id: "a" }, 6);
  expect(peers[0]?.closed).toBe(true);
  expect(call().others.map(({ id }) => id)).toEqual(["b"]);
});

test("an interruption by the system is sent to the others, and its end", async () => {
  const devices = new FakeDevices();
  media = new LocalMediaDevices({
    devices: devices.asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  join("a");
  await media.start({ microphone: true, camera: false });
  const sent = () => socket.requests("media").map(({ payload }) => payload);
  devices.live[0]?.interrupt();
  vi.advanceTimersByTime(1_000);
  expect(sent().at(-1)).toEqual({
    ...OFF,
    mic: true,
    interrupted: { mic: true, camera: false },
  });
  devices.live[0]?.interrupt(false);
  expect(sent().at(-1)).toEqual({ ...OFF, mic: true });
  expect(sent()).toHaveLength(3);
  // A muted microphone is not interrupted.
  await media.setMicrophone(false);
  devices.live[0]?.interrupt();
  vi.advanceTimersByTime(1_000);
  expect(sent()).toHaveLength(4);
});

test("the media state is sent to the others, once per change", async () => {
  join("a");
  expect(socket.requests("media")).toEqual([]);
  await media.start({ microphone: true, camera: false });
  expect(socket.requests("media").map(({ payload }) => payload)).toEqual([{ ...OFF, mic: true }]);
  session.setHand(true);
  expect(socket.requests("media").at(-1)?.payload).toEqual({ ...OFF, mic: true, hand: true });
  expect(call().self.media.hand).toBe(true);
});

test("new ICE servers reach every link", () => {
  join("a");
  socket.receive("ice:servers", { iceServers: [{ urls: ["turn:two"] }] });
  expect(peers[0]?.configuration.iceServers).toEqual([{ urls: ["turn:two"] }]);
});

test("a lost connection is resumed with token and event number, losing no request", async () => {
  join("a");
  socket.receive("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 7);
  await world.run();
  const unacknowledged = socket.requests("signal").length;
  expect(unacknowledged).toBeGreaterThan(0);
  socket.drop();
  expect(call().status).toBe("reconnecting");
  expect(peers.some(({ closed }) => closed)).toBe(false);
  session.setHand(true);
  expect(socket.pending).toEqual([]);
  socket.establish();
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
  // An event from before the disconnect is ignored when it is repeated.
  socket.receive("participant:left", { id: "b" }, 7);
  expect(call().others).toHaveLength(2);
  socket.receive("participant:left", { id: "b" }, 8);
  expect(call().others).toHaveLength(1);
});

test("a resumed call restarts ICE on every link", async () => {
  join("a");
  await world.run();
  const offer = signals()[0]?.description as { sdp: string };
  const far = new FakePeer(world, "far");
  void far.setRemoteDescription({ type: "offer", sdp: offer.sdp });
  void far.setLocalDescription();
  await world.run();
  socket.receive("signal", { from: "a", description: far.localDescription }, 5);
  await world.run();
  const before = peers[0]?.ufrag;
  socket.drop();
  socket.establish();
  socket.request("room:join").ok(joined(["a"], { resumed: true }));
  await world.run();
  expect(peers[0]?.ufrag).not.toBe(before);
  expect(peers).toHaveLength(1);
});

test("requests for the media server of an ended process are not sent to the next one", async () => {
  join("a", "b");
  await world.run();
  socket.receive("topology", { topology: "sfu" }, 5);
  await world.run();
  const toSfu = () => signals().filter(({ to }) => to === "sfu");
  expect(toSfu()).toHaveLength(1);
  const others = signals().length - 1;
  const resumed = { resumed: true, topology: "sfu" } as const;
  const resume = async (instance: string) => {
    socket.drop();
    socket.establish();
    socket.request("room:join").ok(joined(["a", "b"], { ...resumed, instance }));
  };
  await resume("second");
  expect(toSfu()).toEqual([]);
  expect(signals().length).toBeGreaterThanOrEqual(others);
  await world.run();
  expect(toSfu()).toHaveLength(1);
  await resume("second");
  expect(toSfu()).not.toEqual([]);
});

test("after the resume token expired the call joins again with new links", async () => {
  join("a");
  await world.run();
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("resume_expired");
  const rejoin = socket.request("room:join");
  expect(rejoin.payload).not.toHaveProperty("resume");
  rejoin.ok(joined(["a"], { self: { id: "n", name: "M", media: OFF, direct: false }, last: 2 }));
  expect(call()).toMatchObject({ status: "joined", self: { id: "n" } });
  expect(peers).toHaveLength(2);
  expect(peers[0]?.closed).toBe(true);
  socket.receive("participant:left", { id: "a" }, 3);
  expect(call().others).toEqual([]);
});

test("a call that joins again asks for its token once more, and later if there is none", async () => {
  const token = vi.fn().mockRejectedValueOnce(new Error("signed out")).mockResolvedValue("fresh");
  request = { ...request, token };
  join("a");
  await world.run();
  socket.drop();
  socket.establish();
  const resume = socket.request("room:join");
  expect(resume.payload).not.toHaveProperty("token");
  resume.reject("resume_expired");
  await vi.advanceTimersByTimeAsync(0);
  expect(token).toHaveBeenCalledTimes(1);
  expect(socket.requests("room:join")).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(socket.request("room:join").payload.token).toBe("fresh");
});

test("a token that arrives after the connection was lost is not presented", async () => {
  let give: (token: string) => void = () => {};
  const token = () =>
    new Promise<string>((resolve) => {
      give = resolve;
    });
  request = { ...request, token };
  join("a");
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("resume_expired");
  await vi.advanceTimersByTimeAsync(0);
  socket.drop();
  give("stale");
  await vi.advanceTimersByTimeAsync(0);
  expect(socket.requests("room:join")).toEqual([]);
  socket.establish();
  expect(socket.request("room:join").payload).toMatchObject({ resume: "token" });
});

test("a rejected rejoin ends the call with the reason", () => {
  join("a");
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("resume_expired");
  socket.request("room:join").reject("room_full");
  expect(call()).toMatchObject({ status: "ended", error: { code: "room_full" } });
  expect(peers[0]?.closed).toBe(true);
});

test("a rejoin that has to wait goes on when a host admits it, and leaving ends the wait", () => {
  join("a");
  const rejoin = () => {
    socket.drop();
    socket.establish();
    socket.request("room:join").reject("resume_expired");
    socket.request("room:join").reject("waiting");
    expect(call()).toMatchObject({ status: "reconnecting", error: null });
  };
  rejoin();
  session.admit(joined(["a"], { self: { id: "n", name: "M", media: OFF, direct: false } }));
  expect(call()).toMatchObject({ status: "joined", self: { id: "n" } });
  session.admit(joined([], { self: { id: "o", name: "M", media: OFF, direct: false } }));
  expect(call().self.id).toBe("n");
  rejoin();
  socket.receive("room:dismissed", { reason: "denied" });
  expect(call()).toMatchObject({ status: "ended", error: { code: "denied" } });
});

test("a call whose rejoin is rejected leaves what the server may have of it", () => {
  join("a");
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("already_joined");
  expect(call().status).toBe("ended");
  expect(socket.requests("room:leave")).toHaveLength(1);
});

test("a rate limited rejoin is tried again later", () => {
  join("a");
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("rate_limited");
  expect(socket.pending).toEqual([]);
  vi.advanceTimersByTime(5_000);
  expect(socket.request("room:join").payload).toMatchObject({ resume: "token" });
});

test("a rejoin that the next disconnect interrupts waits for the connection", () => {
  join("a");
  socket.drop();
  socket.establish();
  socket.drop();
  vi.advanceTimersByTime(60_000);
  expect(socket.pending).toEqual([]);
  socket.establish();
  expect(socket.requests("room:join")).toHaveLength(1);
});

test("leaving sends one request, closes every link and ignores later events", () => {
  join("a");
  session.leave();
  session.leave();
  expect(socket.requests("room:leave")).toHaveLength(1);
  expect(call()).toMatchObject({ status: "ended", error: null, others: [] });
  expect(peers[0]?.closed).toBe(true);
  socket.receive("participant:joined", { id: "b", name: "B", media: OFF, direct: false }, 9);
  socket.drop();
  socket.establish();
  expect(peers).toHaveLength(1);
  expect(socket.requests("room:join")).toEqual([]);
});

test("a failed link is restarted, and reported as failed after two restarts", async () => {
  join("a");
  await world.run();
  peers[0]?.setConnectionState("connected");
  peers[0]?.setConnectionState("failed");
  expect(call().others[0]?.connection).toBe("reconnecting");
  const before = socket.requests("signal").length;
  vi.advanceTimersByTime(0);
  await world.run();
  expect(socket.requests("signal").length).toBeGreaterThan(before);
  peers[0]?.setConnectionState("failed");
  vi.advanceTimersByTime(8_000);
  peers[0]?.setConnectionState("failed");
  expect(call().others[0]?.connection).toBe("failed");
  peers[0]?.setConnectionState("connected");
  expect(call().others[0]?.connection).toBe("connected");
});

test("the opening end replaces a peer connection that restarts did not recover", async () => {
  join("a");
  await world.run();
  peers[0]?.setConnectionState("failed");
  vi.advanceTimersByTime(8_000);
  await world.run();
  expect(peers).toHaveLength(1);
  const before = signals().length;
  vi.advanceTimersByTime(16_000);
  await world.run();
  expect(peers).toHaveLength(2);
  expect(peers[0]?.closed).toBe(true);
  expect(signals()[before]).toMatchObject({ to: "a", description: { type: "offer" } });
  peers[1]?.setConnectionState("connected");
  expect(call().others[0]?.connection).toBe("connected");
});

test("the other end replaces its peer connection on an offer of a new session", async () => {
  join("z");
  for (const n of [5, 6]) {
    const far = new FakePeer(world, `far${n}`);
    far.addTransceiver("audio");
    far.addTransceiver("video");
    void far.setLocalDescription();
    await world.run();
    socket.receive("signal", { from: "z", description: far.localDescription }, n);
    await world.run();
    void far.setRemoteDescription(signals().at(-3)?.description as { type: "answer"; sdp: string });
    await world.run();
    expect(far.signalingState).toBe("stable");
  }
  expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
  peers[1]?.setConnectionState("connected");
  expect(call().others[0]).toMatchObject({ connection: "connected" });
});

test("chat messages appear at once, are sent in order and get their outcome", () => {
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
  socket.request("chat").reject("invalid");
  expect(status()).toEqual([
    ["hello", "sent"],
    ["there", "failed"],
  ]);
  socket.receive("chat", { from: "a", text: "hi", at: 7 }, 5);
  socket.receive("chat", { from: "a", text: "hi", at: 7 }, 5);
  expect(call().chat.at(-1)).toMatchObject({ from: "a", name: "a", text: "hi", at: 7 });
  expect(call().chat).toHaveLength(3);
});

test("a private message names its recipient, and one that arrives is marked", () => {
  join("a");
  session.sendChat("psst", "a");
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "psst", serial: 1, to: "a" },
  ]);
  expect(call().chat.at(-1)).toMatchObject({ isPrivate: true, to: { id: "a", name: "a" } });
  socket.receive("chat", { from: "a", text: "yes?", at: 7, private: true }, 5);
  expect(call().chat.at(-1)).toMatchObject({ from: "a", text: "yes?", isPrivate: true });
});

test("chat messages during a disconnect are sent after the resume with the same serials", () => {
  join("a");
  session.sendChat("one");
  socket.drop();
  session.sendChat("two");
  socket.establish();
  socket.request("room:join").ok(joined(["a"], { resumed: true }));
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "one", serial: 1 },
    { text: "two", serial: 2 },
  ]);
});

test("rate limited chat is delayed without delaying other requests", () => {
  join("a");
  session.sendChat("one");
  socket.request("chat").reject("rate_limited");
  session.setHand(true);
  expect(socket.requests("media")).toHaveLength(1);
  expect(socket.requests("chat")).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(socket.requests("chat").map(({ payload }) => payload)).toEqual([
    { text: "one", serial: 1 },
  ]);
});

test("a shared screen is sent to the others", async () => {
  join("a");
  await media.setScreen(true);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ screen: true });
  await media.setScreen(false);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ screen: false });
});

test("levels of the media server mark speaking participants, and the loudest has the floor", () => {
  join("a", "b");
  socket.receive("topology", { topology: "sfu" }, 5);
  const speakers = [
    { participant: "b", level: 110 },
    { participant: "a", level: 40 },
  ];
  socket.receive("speakers", { speakers });
  vi.advanceTimersByTime(400);
  expect(call().others.map(({ speaking }) => speaking)).toEqual([false, true]);
  expect(call().speaker).toBe("b");
  socket.receive("speakers", { speakers: [] });
  vi.advanceTimersByTime(2_000);
  expect(call().others.map(({ speaking }) => speaking)).toEqual([false, false]);
  expect(call().speaker).toBe("b");
});

test("a microphone that a host muted is turned off and announced so", async () => {
  join("a");
  await media.start({ microphone: true, camera: true });
  socket.receive("muted", { by: "a", sources: ["microphone"] }, 5);
  const sent = socket.requests("media").map(({ payload }) => payload);
  expect(sent.at(-1)).toMatchObject({ mic: false, camera: true });
  expect(call().mutedBy).toEqual({ name: "a", sources: ["microphone"] });
  // Turning it on again is this participant's decision.
  await media.setMicrophone(true);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ mic: true });
});

test("a hand that a host lowered is lowered here, and may be raised again", () => {
  join("a");
  session.setHand(true);
  socket.receive("hand_lowered", { by: "a" }, 5);
  expect(call().handLoweredBy).toEqual({ name: "a" });
  expect(call().self.media.hand).toBe(false);
  expect(call().self).not.toHaveProperty("raised");
  session.setHand(true);
  const hands = socket.requests("media").map(({ payload }) => payload.hand);
  expect(hands.slice(-3)).toEqual([true, false, true]);
});

test("a removed participant's call ends with the reason, and sends no leave", () => {
  join("a");
  socket.receive("room:dismissed", { reason: "removed" });
  expect(call()).toMatchObject({ status: "ended", error: { code: "removed" } });
  expect(socket.requests("room:leave")).toEqual([]);
});

test("a host's requests carry what the protocol says, and reject with its error", async () => {
  join("a");
  const all = session.hosting.mute(null, ["microphone"]);
  expect(socket.request("room:mute").payload).toEqual({ sources: ["microphone"] });
  socket.request("room:mute").ok();
  await all;
  const lower = session.hosting.lowerHands(null);
  expect(socket.request("room:lower_hands").payload).toEqual({});
  socket.request("room:lower_hands").ok();
  await lower;
  const admit = session.hosting.admit(["w"]);
  expect(socket.request("room:admit").payload).toEqual({ participants: ["w"] });
  socket.request("room:admit").reject("forbidden");
  await expect(admit).rejects.toMatchObject({ code: "forbidden" });
});

test("a viewer's devices are turned off, and stay so", async () => {
  join("a");
  await media.start({ microphone: true, camera: true });
  const { self } = call();
  const { speaking: _, quality: __, ...participant } = self;
  const viewer = { ...participant, direct: false, role: "viewer" };
  socket.receive("participant:updated", viewer, 5);
  expect(media.getSnapshot().microphone.on).toBe(false);
  expect(media.getSnapshot().camera.on).toBe(false);
  await media.setMicrophone(true);
  expect(media.getSnapshot().microphone.on).toBe(false);
  expect(socket.requests("media").at(-1)?.payload).toMatchObject({ mic: false, camera: false });
});
