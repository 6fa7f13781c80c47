import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Session } from "./call/session.ts";
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

/** Loads a page in the tab and connects it to the server. */
async function page(): Promise<PageClient> {
  socket = new FakeSocket();
  const signaling = new Signaling(socket);
  const media = new LocalMediaDevices({
    devices: new FakeDevices().asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  const client = new PageClient({
    signaling,
    media,
    device: "device-of-the-test",
    storage: tab,
    loadSession: async () => Session,
  });
  await client.prepare();
  signaling.open();
  socket.establish();
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

test("a reloaded page replaces its earlier participant, once", async () => {
  const first = await page();
  await join(first);
  expect(tab.length).toBe(0); // a duplicated tab replaces no one
  socket.drop(); // Firefox closes the socket before the pagehide event
  first.hide(false, noBeacon);

  const second = await page();
  void second.join({ room: "tea", name: "M", password: "p" });
  expect(joins()).toMatchObject([{ room: "tea", replaces: "m.secret" }]);
  socket.request("room:join").ok(joined({ resume: "n.secret" }));

  await join(second, { resume: "o.secret" });
  expect(tab.length).toBe(0);
  const other = await page();
  void other.join({ room: "other", name: "M" });
  expect(joins()[0]).not.toHaveProperty("replaces");
});

test("a participant knows the ids that it had before a reload and a rejoin", async () => {
  const as = (id: string) => joined({ resume: `${id}.secret`, self: { ...joined().self, id } });
  const first = await page();
  await join(first, as("m"));
  first.hide(false, noBeacon);
  const second = await page();
  const call = await join(second, as("n"));
  expect(call.getSnapshot().formerIds).toEqual(["m"]);
  second.hide(true, noBeacon);
  second.show();
  socket.establish();
  socket.request("room:join").ok(as("o"));
  expect(call.getSnapshot()).toMatchObject({ self: { id: "o" }, formerIds: ["m", "n"] });
  second.hide(false, noBeacon);
  const third = await page();
  expect((await join(third, as("p"))).getSnapshot().formerIds).toEqual(["m", "n", "o"]);
});

test("a reloaded page joins another room without replacing", async () => {
  const first = await page();
  await join(first);
  first.hide(false, noBeacon);
  void (await page()).join({ room: "other", name: "M" });
  expect(joins()[0]).not.toHaveProperty("replaces");
});

test("a page without a call stores nothing", async () => {
  (await page()).hide(false, noBeacon);
  expect(tab.length).toBe(0);
});

test("an unloaded page leaves the room at once", async () => {
  const client = await page();
  const call = await join(client);
  client.hide(false, noBeacon);
  expect(call.getSnapshot().status).toBe("ended");
  expect(socket.shouldConnect).toBe(false);
});

test("a page from the back/forward cache joins its call again", async () => {
  const client = await page();
  const call = await join(client);
  const events: string[] = [];
  socket.onRequest = ({ event }) => events.push(event);
  client.hide(true, noBeacon);
  expect(events).toEqual(["room:leave"]);
  expect(call.getSnapshot().status).toBe("reconnecting");

  client.show();
  expect(socket.shouldConnect).toBe(true);
  socket.establish();
  // Its links are gone, so it joins as a new participant that replaces the earlier one.
  expect(joins()).toMatchObject([{ room: "tea", name: "M", password: "p", replaces: "m.secret" }]);
  expect(joins()[0]).not.toHaveProperty("resume");
  socket.request("room:join").ok(joined({ resume: "n.secret" }));
  expect(call.getSnapshot().status).toBe("joined");

  // Later disconnects are resumed as usual.
  socket.drop();
  socket.establish();
  expect(joins()).toMatchObject([{ resume: "n.secret" }]);
});

test("over polling the disconnect is sent as a beacon", async () => {
  const client = await page();
  await join(client);
  socket.downgradeToPolling("session");
  const beacons: string[][] = [];
  client.hide(false, (path, packet) => beacons.push([path, packet]));
  expect(beacons).toEqual([["/socket.io/?EIO=4&transport=polling&sid=session", "41"]]);
});
