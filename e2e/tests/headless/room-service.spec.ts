// R5: LiveKit's Node SDK drives rooms of moim from their creation to their end. R6: it verifies the
// webhooks about them.

import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AccessToken,
  type ParticipantInfo,
  RoomServiceClient,
  TrackSource,
  type WebhookEvent,
  WebhookReceiver,
} from "livekit-server-sdk";
import { io, type Socket } from "socket.io-client";
import { Server } from "../../support/server.ts";
import { expect, test } from "../../support/test.ts";

const KEY = "app";
const SECRET = "0123456789abcdef0123456789abcdef";

let server: Server;
/** Receives webhooks; `heard` has what the SDK has verified, or its errors. */
let hooks: HttpServer;
const heard: (WebhookEvent | Error)[] = [];
let rooms: RoomServiceClient;
const sockets: Socket[] = [];

test.beforeAll(async () => {
  const receiver = new WebhookReceiver(KEY, SECRET);
  hooks = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const event = await receiver.receive(body, request.headers.authorization).catch((e) => e);
    heard.push(event);
    response.end();
  });
  await new Promise<void>((resolve) => hooks.listen(0, "127.0.0.1", resolve));
  const hook = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/hook`;
  const flags = ["--api-key", `${KEY}:${SECRET}`, "--webhook-livekit", hook, "--webhook-private"];
  server = await Server.start({ flags });
  rooms = new RoomServiceClient(server.url, KEY, SECRET);
});

test.afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

test.afterAll(async () => {
  await server.stop();
  hooks.close();
});

async function enter(room: string, name: string): Promise<{ socket: Socket; id: string }> {
  const socket = io(server.url, { forceNew: true });
  sockets.push(socket);
  const media = { mic: true, camera: true, screen: false, hand: false };
  const reply = await socket.emitWithAck("room:join", { room, name, media });
  return { socket, id: reply.ok.self.id };
}

function next<T>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve) => socket.once(event, resolve));
}

test("R5: rooms are created, listed, changed and deleted by LiveKit's Node SDK", async () => {
  const options = { name: "tea", emptyTimeout: 600, maxParticipants: 5, metadata: "lesson 7" };
  const created = await rooms.createRoom(options);
  expect(created).toMatchObject({ name: "tea", maxParticipants: 5, metadata: "lesson 7" });
  expect(created.sid).toMatch(/^RM_/);
  expect(Number(created.creationTime)).toBeGreaterThan(1_700_000_000);
  expect((await rooms.createRoom(options)).sid).toBe(created.sid);
  await rooms.createRoom({ name: "milk" });
  const names = (await rooms.listRooms()).map((room) => room.name).sort();
  expect(names).toEqual(["milk", "tea"]);
  expect(await rooms.listRooms(["milk", "nowhere"])).toHaveLength(1);
  expect((await rooms.updateRoomMetadata("tea", "lesson 8")).metadata).toBe("lesson 8");
  await rooms.deleteRoom("milk");
  const { socket } = await enter("tea", "Mina");
  const dismissed = next(socket, "room:dismissed");
  await rooms.deleteRoom("tea");
  expect(await dismissed).toEqual({ reason: "ended" });
  expect(await rooms.listRooms()).toEqual([]);
  await expect(rooms.deleteRoom("tea")).rejects.toMatchObject({ code: "not_found", status: 404 });
});

test("R5: participants are listed, muted, changed, told and removed", async () => {
  const mina = await enter("class", "Mina");
  const jun = await enter("class", "Jun");
  const people = await rooms.listParticipants("class");
  expect(people.map((one) => one.name)).toEqual(["Mina", "Jun"]);
  const found: ParticipantInfo = await rooms.getParticipant("class", jun.id);
  expect(found).toMatchObject({ identity: jun.id, isPublisher: true });
  const microphone = found.tracks.find((track) => track.source === TrackSource.MICROPHONE);
  if (!microphone) throw new Error("no microphone");

  const muted = next(jun.socket, "muted");
  const track = await rooms.mutePublishedTrack("class", jun.id, microphone.sid, true);
  expect(track.muted).toBe(true);
  expect(await muted).toEqual({ by: "operator", sources: ["microphone"] });

  const permission = { canPublish: false, canSubscribe: true, canPublishData: true };
  const changed = await rooms.updateParticipant("class", jun.id, { permission });
  expect(changed.permission?.canPublish).toBe(false);

  const data = next(mina.socket, "data");
  const bytes = new TextEncoder().encode("quiz");
  await rooms.sendData("class", bytes, 0, { topic: "t", destinationIdentities: [mina.id] });
  expect(await data).toEqual({ data: "cXVpeg==", topic: "t" });

  const dismissed = next(jun.socket, "room:dismissed");
  await rooms.removeParticipant("class", jun.id);
  expect(await dismissed).toEqual({ reason: "removed" });
  await expect(rooms.getParticipant("class", jun.id)).rejects.toMatchObject({ code: "not_found" });
});

test("R6: LiveKit's Node SDK verifies webhooks, whose events come in order and in pairs", async () => {
  const { socket, id } = await enter("quiz", "Mina");
  await socket.emitWithAck("room:leave", {});
  const ofQuiz = () => heard.filter((one) => !(one instanceof Error) && one.room?.name === "quiz");
  const names = ["room_started", "participant_joined", "participant_left", "room_finished"];
  await expect.poll(() => ofQuiz().length).toBe(names.length);
  expect(heard.filter((one) => one instanceof Error)).toEqual([]);
  const events = ofQuiz() as WebhookEvent[];
  expect(events.map((event) => event.event)).toEqual(names);
  expect(events.slice(1, 3).map((event) => event.participant?.identity)).toEqual([id, id]);
  expect(events[1]?.participant).toMatchObject({ name: "Mina", sid: `PA_${id}` });
  expect(new Set(events.map((event) => event.id)).size).toBe(names.length);
  expect(events[0]?.room?.maxParticipants).toBeGreaterThan(0);
});

test("another secret and another room's grant are refused", async () => {
  const forged = new RoomServiceClient(server.url, KEY, SECRET.replace("0", "x"));
  await expect(forged.listRooms()).rejects.toMatchObject({ code: "unauthenticated", status: 401 });
  await enter("tea", "Mina");
  const headers = { "Content-Type": "application/json" };
  const url = `${server.url}/twirp/livekit.RoomService/ListRooms`;
  const answer = await fetch(url, { method: "POST", headers, body: "{}" });
  expect([answer.status, (await answer.json()).code]).toEqual([401, "unauthenticated"]);

  const milk = new AccessToken(KEY, SECRET);
  milk.addGrant({ roomAdmin: true, room: "milk" });
  const authorized = { ...headers, Authorization: `Bearer ${await milk.toJwt()}` };
  const list = `${server.url}/twirp/livekit.RoomService/ListParticipants`;
  const body = JSON.stringify({ room: "tea" });
  const refused = await fetch(list, { method: "POST", headers: authorized, body });
  expect([refused.status, (await refused.json()).code]).toEqual([403, "permission_denied"]);
});
