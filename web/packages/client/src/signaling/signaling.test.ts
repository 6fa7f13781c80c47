import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "../testing/socket.ts";
import { LiveLobby } from "./lobby.ts";
import { Signaling } from "./signaling.ts";

let socket: FakeSocket;
let signaling: Signaling;

beforeEach(() => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  signaling = new Signaling(socket);
  signaling.open();
});
afterEach(() => {
  vi.useRealTimers();
});

const tea = { name: "tea", participants: 1, capacity: 9, locked: false };

test("a request resolves to the server's answer", async () => {
  socket.establish();
  const created = signaling.request("room:create", { name: "tea" });
  expect(socket.request("room:create").payload).toEqual({ name: "tea" });
  socket.request("room:create").ok({ room: tea });
  await expect(created).resolves.toEqual({ room: tea });
});

test("a rejected request has the server's code and message", async () => {
  socket.establish();
  const created = signaling.request("room:create", { name: "tea" });
  socket.request("room:create").reject("room_exists");
  await expect(created).rejects.toMatchObject({
    code: "room_exists",
    message: "rejected: room_exists",
  });
});

test("a request without answer is a timeout while connected, unreachable otherwise", async () => {
  socket.establish();
  const slow = signaling.request("room:list", {});
  socket.request("room:list").timeOut();
  await expect(slow).rejects.toMatchObject({ code: "timeout" });
  const cut = signaling.request("room:list", {});
  socket.drop();
  await expect(cut).rejects.toMatchObject({ code: "unreachable" });
});

test("a probe without an answer reconnects, unless the connection is another one by then", () => {
  const media = { mic: true, camera: false, screen: false, hand: false };
  const probe = () => {
    signaling.probe("media", media);
    return socket.request("media");
  };
  signaling.probe("media", media);
  expect(socket.pending).toEqual([]); // not connected
  socket.establish();
  probe().ok();
  expect(socket.enginesClosed).toBe(0);
  probe();
  signaling.probe("media", media);
  expect(socket.pending).toHaveLength(1); // one at a time
  socket.request("media").timeOut();
  expect(socket.enginesClosed).toBe(1);
  const late = probe();
  socket.io = { engine: { ...socket.io.engine } };
  late.timeOut();
  expect(socket.enginesClosed).toBe(1);
});

test("an invalid answer is an error, not a crash", () => {
  socket.establish();
  const outcomes: unknown[] = [];
  socket.timeout = () => ({ emit: (_event, _payload, done) => done(null, null) });
  signaling.send("room:list", {}, (outcome) => outcomes.push(outcome));
  expect(outcomes).toMatchObject([{ error: { code: "internal" } }]);
});

test("the state follows the connection and the server's draining event", () => {
  const state = () => signaling.state.getSnapshot();
  expect(state()).toBe("connecting");
  socket.establish();
  expect(state()).toBe("online");
  socket.receive("server:draining", {});
  expect(state()).toBe("draining");
  socket.drop();
  expect(state()).toBe("offline");
});

test("a connection closed by the server is reopened unless it was closed here too", () => {
  socket.establish();
  socket.shouldConnect = false;
  socket.drop("io server disconnect");
  vi.runAllTimers();
  expect(socket.shouldConnect).toBe(true);
  socket.establish();
  socket.drop("io server disconnect");
  signaling.close();
  vi.runAllTimers();
  expect(socket.shouldConnect).toBe(false);
});

test("a change of network replaces the connection without closing the signaling", () => {
  socket.establish();
  signaling.wake();
  expect(socket.enginesClosed).toBe(1);
  expect(socket.shouldConnect).toBe(true);
  socket.drop();
  signaling.close();
  signaling.wake();
  expect(socket.shouldConnect).toBe(false);
});

test("waking a connection that is lost ends the wait for the next attempt", () => {
  socket.establish();
  socket.drop();
  const steps: string[] = [];
  socket.connect = () => void steps.push("connect");
  socket.disconnect = () => void steps.push("disconnect");
  signaling.wake();
  // Only then does Socket.IO give up its timer and connect at once.
  expect(steps).toEqual(["disconnect", "connect"]);
});

test("the lobby asks whether a room is locked", async () => {
  const lobby = new LiveLobby(signaling, "device-of-the-test");
  socket.establish();
  const locked = lobby.isLocked("tea");
  const request = socket.request("room:check");
  expect(request.payload).toEqual({ room: "tea" });
  request.ok({ locked: true });
  expect(await locked).toBe(true);
  const refused = lobby.isLocked("tea");
  socket.request("room:check").reject("rate_limited");
  await expect(refused).rejects.toMatchObject({ code: "rate_limited" });
});

test("the lobby requests the list while open, and again after each reconnection", () => {
  const lobby = new LiveLobby(signaling, "device-of-the-test");
  socket.establish();
  expect(socket.pending).toEqual([]);
  const close = lobby.open();
  socket.request("room:list").ok({ rooms: [tea] });
  expect(lobby.getSnapshot()).toMatchObject({ loaded: true, rooms: [tea] });
  socket.receive("room:list", { rooms: [] });
  expect(lobby.getSnapshot().rooms).toEqual([]);
  socket.drop();
  socket.establish();
  socket.request("room:list").ok({ rooms: [tea] });
  expect(lobby.getSnapshot().rooms).toEqual([tea]);
  close();
  close();
  socket.drop();
  socket.establish();
  expect(socket.pending).toEqual([]);
});
