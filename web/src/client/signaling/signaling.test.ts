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

test("a request resolves to what the server answers", async () => {
  socket.arrive();
  const created = signaling.request("room:create", { name: "tea" });
  expect(socket.request("room:create").payload).toEqual({ name: "tea" });
  socket.request("room:create").ok({ room: tea });
  await expect(created).resolves.toEqual({ room: tea });
});

test("a refused request rejects with the server's code and sentence", async () => {
  socket.arrive();
  const created = signaling.request("room:create", { name: "tea" });
  socket.request("room:create").refuse("room_exists");
  await expect(created).rejects.toMatchObject({
    code: "room_exists",
    message: "refused: room_exists",
  });
});

test("no answer is a timeout while connected, unreachable otherwise", async () => {
  socket.arrive();
  const slow = signaling.request("room:list", {});
  socket.request("room:list").fail();
  await expect(slow).rejects.toMatchObject({ code: "timeout" });
  const cut = signaling.request("room:list", {});
  socket.drop();
  await expect(cut).rejects.toMatchObject({ code: "unreachable" });
});

test("an answer that is none is an error, not a crash", () => {
  socket.arrive();
  const outcomes: unknown[] = [];
  socket.timeout = () => ({ emit: (_event, _payload, done) => done(null, null) });
  signaling.send("room:list", {}, (outcome) => outcomes.push(outcome));
  expect(outcomes).toMatchObject([{ error: { code: "internal" } }]);
});

test("the state follows the connection and the server's farewell", () => {
  const state = () => signaling.state.getSnapshot();
  expect(state()).toBe("connecting");
  socket.arrive();
  expect(state()).toBe("online");
  socket.tell("server:draining", {});
  expect(state()).toBe("draining");
  socket.drop();
  expect(state()).toBe("offline");
});

test("sent away by the server it comes back, unless closed meanwhile", () => {
  socket.arrive();
  socket.wanted = false;
  socket.drop("io server disconnect");
  vi.runAllTimers();
  expect(socket.wanted).toBe(true);
  socket.arrive();
  socket.drop("io server disconnect");
  signaling.close();
  vi.runAllTimers();
  expect(socket.wanted).toBe(false);
});

test("back on the network, a connection that may be dead is made anew without leaving", () => {
  socket.arrive();
  signaling.wake();
  expect(socket.enginesClosed).toBe(1);
  expect(socket.wanted).toBe(true);
  socket.drop();
  signaling.close();
  signaling.wake();
  expect(socket.wanted).toBe(false);
});

test("the lobby asks when looked at, again after each reconnection, and not after", () => {
  const lobby = new LiveLobby(signaling);
  socket.arrive();
  expect(socket.asked).toEqual([]);
  const close = lobby.open();
  socket.request("room:list").ok({ rooms: [tea] });
  expect(lobby.getSnapshot()).toEqual({ loaded: true, rooms: [tea] });
  socket.tell("room:list", { rooms: [] });
  expect(lobby.getSnapshot().rooms).toEqual([]);
  socket.drop();
  socket.arrive();
  socket.request("room:list").ok({ rooms: [tea] });
  expect(lobby.getSnapshot().rooms).toEqual([tea]);
  close();
  close();
  socket.drop();
  socket.arrive();
  expect(socket.asked).toEqual([]);
});
