import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageClient } from "./client.ts";
import { LocalMediaDevices } from "./devices/local-media.ts";
import type { Joined } from "./protocol.ts";
import { Signaling } from "./signaling/signaling.ts";
import { FakeDevices, fakeStream } from "./testing/media.ts";
import { FakeSocket } from "./testing/socket.ts";
import { FakeStorage } from "./testing/storage.ts";

const OFF = { mic: false, camera: false, screen: false, hand: false };
const noBeacon = () => {
  throw new Error("a beacon was sent");
};

let socket: FakeSocket;
let tab: FakeStorage;

/** A page in the tab; it connects to the server. */
function page(): PageClient {
  socket = new FakeSocket();
  const signaling = new Signaling(socket);
  const media = new LocalMediaDevices({
    devices: new FakeDevices().asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  const client = new PageClient(signaling, media, tab);
  signaling.open();
  socket.arrive();
  return client;
}

function joined(change: Partial<Joined> = {}): Joined {
  return {
    self: { id: "m", name: "M", media: OFF, direct: false },
    room: { name: "tea", participants: 1, capacity: 2, locked: false },
    participants: [],
    topology: "mesh",
    iceServers: [],
    resume: "m.secret",
    resumeSeconds: 30,
    resumed: false,
    last: 0,
    ...change,
  };
}

async function join(client: PageClient, change: Partial<Joined> = {}) {
  const call = client.join({ room: "tea", name: "M", password: "p" });
  socket.request("room:join").ok(joined(change));
  return call;
}

const joins = () => socket.requests("room:join").map(({ payload }) => payload);

beforeEach(() => {
  vi.useFakeTimers();
  tab = new FakeStorage();
});
afterEach(() => vi.useRealTimers());

test("a page that is loaded again takes the place of the one it was, once", async () => {
  const first = page();
  await join(first);
  expect(tab.length).toBe(0); // a duplicated tab takes nobody's place
  socket.drop(); // Firefox closes the socket before it tells the page
  first.hide(false, noBeacon);

  const second = page();
  void second.join({ room: "tea", name: "M", password: "p" });
  expect(joins()).toMatchObject([{ room: "tea", replaces: "m.secret" }]);
  socket.request("room:join").ok(joined({ resume: "n.secret" }));

  await join(second, { resume: "o.secret" });
  expect(tab.length).toBe(0);
  const other = page();
  void other.join({ room: "other", name: "M" });
  expect(joins()[0]).not.toHaveProperty("replaces");
});

test("a page loaded again joins another room as anybody would", async () => {
  const first = page();
  await join(first);
  first.hide(false, noBeacon);
  void page().join({ room: "other", name: "M" });
  expect(joins()[0]).not.toHaveProperty("replaces");
});

test("a page without a call leaves nothing behind", () => {
  page().hide(false, noBeacon);
  expect(tab.length).toBe(0);
});

test("a page that is left leaves the room at once", async () => {
  const client = page();
  const call = await join(client);
  client.hide(false, noBeacon);
  expect(call.getSnapshot().status).toBe("ended");
  expect(socket.wanted).toBe(false);
});

test("a page that comes back out of the cache is in its call again", async () => {
  const client = page();
  const call = await join(client);
  const said: string[] = [];
  socket.onAsked = ({ event }) => said.push(event);
  client.hide(true, noBeacon);
  expect(said).toEqual(["room:leave"]);
  expect(call.getSnapshot().status).toBe("reconnecting");

  client.show();
  expect(socket.wanted).toBe(true);
  socket.arrive();
  // Its links are gone, so it comes as somebody new, in the place that it may still have.
  expect(joins()).toMatchObject([{ room: "tea", name: "M", password: "p", replaces: "m.secret" }]);
  expect(joins()[0]).not.toHaveProperty("resume");
  socket.request("room:join").ok(joined({ resume: "n.secret" }));
  expect(call.getSnapshot().status).toBe("joined");

  // From now on it resumes, as ever.
  socket.drop();
  socket.arrive();
  expect(joins()).toMatchObject([{ resume: "n.secret" }]);
});

test("over polling the goodbye is handed to the browser", async () => {
  const client = page();
  await join(client);
  socket.poll("session");
  const beacons: string[][] = [];
  client.hide(false, (path, packet) => beacons.push([path, packet]));
  expect(beacons).toEqual([["/socket.io/?EIO=4&transport=polling&sid=session", "41"]]);
});
