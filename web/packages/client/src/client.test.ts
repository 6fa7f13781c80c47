import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Session } from "./call/session.ts";
import { PageClient } from "./client.ts";
import { LocalMediaDevices } from "./devices/local-media.ts";
import type { Joined } from "./protocol.ts";
import { Signaling } from "./signaling/signaling.ts";
import { FakeDevices, fakeStream } from "./testing/media.ts";
import { FakeSocket } from "./testing/socket.ts";

let socket: FakeSocket;
let media: LocalMediaDevices;
let client: PageClient;

const MEDIA = { mic: false, camera: false, screen: false, hand: false };

function joined(room: string): Joined {
  return {
    self: { id: "m", name: "M", media: MEDIA, direct: false },
    room: { name: room, participants: 1, capacity: 9, locked: false },
    participants: [],
    topology: "mesh",
    iceServers: [],
    resume: "token",
    resumeSeconds: 30,
    resumed: false,
    last: 0,
  };
}

const newClient = (loadSession = async () => Session) =>
  new PageClient({
    signaling: new Signaling(socket),
    media,
    device: "device-of-the-test",
    loadSession,
  });

/** Names of the pending requests, with their room if they have one. */
const requests = () =>
  socket.pending.map(({ event, payload }) => [event, payload.room].filter(Boolean).join(" "));

beforeEach(async () => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  socket.connected = true;
  media = new LocalMediaDevices({
    devices: new FakeDevices().asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  vi.stubGlobal(
    "MediaStream",
    class {
      getTracks = () => [];
    },
  );
  client = newClient();
  await client.prepare();
});
afterEach(() => {
  client.hide(false, () => undefined);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a call joins even if the level meter can't measure", async () => {
  vi.stubGlobal(
    "AudioContext",
    class {
      createAnalyser = () => ({ fftSize: 0 });
      createMediaStreamSource = () => {
        throw new DOMException("", "NotSupportedError");
      };
      close = async () => {};
    },
  );
  await media.start({ microphone: true, camera: false });
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").ok(joined("tea"));
  await expect(joining).resolves.toBeDefined();
});

test("a call that can't begin rejects and leaves the room", async () => {
  vi.spyOn(media.tracks, "subscribe").mockImplementation(() => {
    throw new Error("broken");
  });
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").ok(joined("tea"));
  await expect(joining).rejects.toMatchObject({ code: "internal" });
  expect(requests()).toEqual(["room:leave"]);
  // No timer of it remains.
  expect(vi.getTimerCount()).toBe(0);
});

test("a superseded join does not leave the room of the next one", async () => {
  const first = client.join({ room: "tea", name: "M" });
  const second = client.join({ room: "cocoa", name: "M" });
  // The server processes them in this order.
  expect(requests()).toEqual(["room:join tea", "room:leave", "room:join cocoa"]);
  socket.request("room:join").ok(joined("tea"));
  await expect(first).rejects.toBeDefined();
  socket.request("room:join").ok(joined("cocoa"));
  await expect(second).resolves.toBeDefined();
  expect((await second).getSnapshot().room.name).toBe("cocoa");
  expect(requests()).toEqual(["room:leave"]);
});

test("a join in the waiting room resolves on admission, with the room's later events", async () => {
  const onWaiting = vi.fn();
  const joining = client.join({ room: "tea", name: "M", onWaiting });
  socket.request("room:join").reject("waiting");
  expect(onWaiting).toHaveBeenCalledOnce();
  socket.receive("room:admitted", joined("tea"));
  socket.receive("chat", { from: "b", text: "welcome", at: 1 }, 9);
  const call = await joining;
  expect(call.getSnapshot().chat.map(({ text }) => text)).toEqual(["welcome"]);
});

test("a join that waits is rejected by the next one", async () => {
  const first = client.join({ room: "tea", name: "M" });
  socket.request("room:join").reject("waiting");
  const second = client.join({ room: "cocoa", name: "M" });
  const settled = vi.fn();
  first.catch(settled);
  await Promise.resolve();
  expect(settled).toHaveBeenCalledOnce();
  socket.request("room:join").ok(joined("cocoa"));
  await expect(second).resolves.toBeDefined();
});

test("a call that waits to come back receives its admission", async () => {
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").ok(joined("tea"));
  const call = await joining;
  socket.drop();
  socket.establish();
  socket.request("room:join").reject("resume_expired");
  socket.request("room:join").reject("waiting");
  socket.receive("room:admitted", joined("tea"));
  expect(call.getSnapshot().status).toBe("joined");
});

test("whoever is turned away learns so, and may try again", async () => {
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").reject("waiting");
  socket.receive("room:dismissed", { reason: "denied" });
  await expect(joining).rejects.toMatchObject({ code: "denied" });
  const again = client.join({ room: "tea", name: "M" });
  expect(requests()).toEqual(["room:join tea"]);
  socket.request("room:join").ok(joined("tea"));
  await expect(again).resolves.toBeDefined();
});

test("a lost connection does not end the wait, giving up does", async () => {
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").reject("waiting");
  socket.drop();
  socket.establish();
  expect(requests()).toEqual(["room:join tea"]);
  socket.request("room:join").reject("waiting");
  client.cancelJoin();
  expect(requests()).toEqual(["room:leave"]);
  await expect(joining).rejects.toBeDefined();
  socket.receive("room:admitted", joined("tea"));
});

test("each join carries the same device secret", async () => {
  const first = client.join({ room: "tea", name: "M" });
  const { device } = socket.request("room:join").payload;
  expect(device).toBe("device-of-the-test");
  socket.request("room:join").reject("room_full");
  await expect(first).rejects.toBeDefined();
});

test("a superseded or cancelled join rejects as cancelled", async () => {
  const first = client.join({ room: "tea", name: "M" });
  const second = client.join({ room: "cocoa", name: "M" });
  client.cancelJoin();
  await expect(first).rejects.toMatchObject({ code: "cancelled" });
  await expect(second).rejects.toMatchObject({ code: "cancelled" });
});

test("a join waits for the token of the application", async () => {
  const joining = client.join({ room: "tea", name: "M", token: () => Promise.resolve("jwt") });
  expect(requests()).toEqual([]);
  await vi.waitFor(() => expect(requests()).toEqual(["room:join tea"]));
  expect(socket.pending[0]?.payload.token).toBe("jwt");
  socket.request("room:join").ok(joined("tea"));
  await expect(joining).resolves.toBeDefined();
});

test("a join without a token of the application sends nothing and may be tried again", async () => {
  const token = () => Promise.reject(new Error("signed out"));
  await expect(client.join({ room: "tea", name: "M", token })).rejects.toMatchObject({
    code: "no_token",
  });
  expect(requests()).toEqual([]);
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").ok(joined("tea"));
  await expect(joining).resolves.toBeDefined();
});

test("a token that arrives after the join was cancelled is not presented", async () => {
  let give: (token: string) => void = () => {};
  const token = () =>
    new Promise<string>((resolve) => {
      give = resolve;
    });
  const joining = client.join({ room: "tea", name: "M", token });
  await Promise.resolve();
  client.cancelJoin();
  await expect(joining).rejects.toMatchObject({ code: "cancelled" });
  give("jwt");
  await vi.advanceTimersByTimeAsync(0);
  expect(requests().filter((request) => request.startsWith("room:join"))).toEqual([]);
});

test("a closed client leaves its call, closes devices, and joins no more", async () => {
  await media.start({ microphone: true, camera: false });
  const joining = client.join({ room: "tea", name: "M" });
  socket.request("room:join").ok(joined("tea"));
  const call = await joining;
  const sent: string[] = [];
  socket.onRequest = ({ event }) => void sent.push(event);
  client.close();
  expect(call.getSnapshot().status).toBe("ended");
  expect(sent).toEqual(["room:leave"]);
  expect(media.getSnapshot().microphone.held).toBe(false);
  expect(socket.connected).toBe(false);
  await expect(client.join({ room: "tea", name: "M" })).rejects.toMatchObject({
    code: "cancelled",
  });
});

test("a join waits for the script of a call, and tells if it can't be loaded", async () => {
  const loadSession = vi.fn().mockRejectedValueOnce(new TypeError("no network"));
  loadSession.mockResolvedValueOnce(Session);
  const other = newClient(loadSession);
  await expect(other.join({ room: "tea", name: "M" })).rejects.toMatchObject({
    code: "unreachable",
    cause: new TypeError("no network"),
  });
  expect(requests()).toEqual([]);

  const joining = other.join({ room: "tea", name: "M" });
  expect(requests()).toEqual([]);
  await vi.waitFor(() => expect(requests()).toEqual(["room:join tea"]));
  socket.request("room:join").ok(joined("tea"));
  await expect(joining).resolves.toBeDefined();
  other.close();
});

test("a join that is cancelled while the script of a call loads sends nothing", async () => {
  const other = newClient();
  const joining = other.join({ room: "tea", name: "M" });
  other.cancelJoin();
  await expect(joining).rejects.toMatchObject({ code: "cancelled" });
  await other.prepare();
  expect(requests().filter((request) => request.startsWith("room:join"))).toEqual([]);
});
