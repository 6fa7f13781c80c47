import { afterEach, beforeEach, expect, test, vi } from "vitest";
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

/** Names of the pending requests, with their room if they have one. */
const requests = () =>
  socket.pending.map(({ event, payload }) => [event, payload.room].filter(Boolean).join(" "));

beforeEach(() => {
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
  client = new PageClient(new Signaling(socket), media);
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
