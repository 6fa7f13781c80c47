// A client that disconnects without leaving, over either transport, leaves its room: the remaining
// members receive the events of their dialect, and another client can take its place.

import { isDeepStrictEqual } from "node:util";
import { type Event, SocketClient } from "../../headless/socket-client.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";
import type { Client } from "../../support/tutorial.ts";
import { until } from "../../support/until.ts";

/** Deadline below the default heartbeat timeout, so that the heartbeat does not end a client. */
const DEADLINE_MS = 20_000;

/** Events of a dialect's rooms for two. */
interface Dialect {
  join(room: string, name: string): Event;
  /** Event that the first member receives on joining. */
  created(room: string, first: Member): Event;
  /** Event that the second member receives on joining. */
  joined(first: Member, second: Member, room: string): Event;
  /** Event that a third client receives, if rooms have a capacity. */
  full?: (room: string) => Event;
  /** Events that a member receives when the other one leaves. */
  left(gone: Member, remaining: Member, room: string): Event[];
}

interface Member {
  name: string;
  id: string;
  received: Event[];
  client: SocketClient;
}

const DIALECTS: Partial<Record<Client, Dialect>> = {
  "video-chat": {
    join: (room) => ["join", room],
    created: () => ["created"],
    joined: () => ["joined"],
    full: () => ["full"],
    left: () => [],
  },
  conference: {
    join: (room, name) => ["join room", { roomID: room, streamID: name, userName: name }],
    created: () => ["other users", []],
    joined: ({ id, name }) => ["other users", [{ socketID: id, streamID: name, userName: name }]],
    left: (gone, { id, name }, room) => {
      const members = [{ socketID: id, streamID: name, userName: name }];
      return [
        ["out user", { username: gone.name, streamID: gone.name }],
        ["give room list", { [room]: { roomName: room, members } }],
      ];
    },
  },
  "one-to-one": {
    join: (room, name) => ["join_room", { room, email: name }],
    created: () => ["all_users", []],
    joined: ({ id, name }) => ["all_users", [{ id, email: name }]],
    full: () => ["room_full"],
    left: ({ id }) => [["user_exit", { id }]],
  },
  codelab: {
    join: (room) => ["create or join", room],
    created: (room, { id }) => ["created", room, id],
    joined: (_, { id }, room) => ["joined", room, id],
    full: (room) => ["full", room],
    left: () => [],
  },
};

type Transport = "polling" | "websocket";

interface Case {
  client: Client;
  dialect: Dialect;
  transport: Transport;
  /** Member that disconnects. */
  leaver: "first" | "second";
}

interface ServerAddress {
  url: string;
  port: number;
}

/** Disconnects one of two members of a room, and lets a third client take the place. */
async function disconnectOne(
  { client, dialect, transport, leaver }: Case,
  server: ServerAddress,
  disconnect: (proxy: TcpProxy) => void,
): Promise<void> {
  const room = `${client} ${transport} ${leaver}`;
  const proxy = await TcpProxy.to(server.port);
  const connect = async (name: string, isLeaver: boolean): Promise<Member> => {
    const options = isLeaver ? { transports: [transport] } : {};
    const socket = await SocketClient.connect(isLeaver ? proxy.url : server.url, client, options);
    const received: Event[] = [];
    // Lists of rooms are reduced to this room.
    const onlyRoom = (rooms: Record<string, unknown>) => ({ [room]: rooms[room] });
    socket.listen(([name, ...args]) => {
      const isList = name === "give room list";
      received.push([name, ...(isList ? [onlyRoom(args[0] as Record<string, unknown>)] : args)]);
    });
    return { name, id: socket.id, received, client: socket };
  };
  const receives = (member: Member, event: Event, beforeEachPoll = () => {}) =>
    until(
      `${member.name} in ${room} to receive ${JSON.stringify(event)}`,
      async () => {
        beforeEachPoll();
        const isReceived = member.received.some((other) => isDeepStrictEqual(other, event));
        return { done: isReceived || undefined, seen: member.received };
      },
      DEADLINE_MS,
    );
  const join = ({ client, name }: Member) => client.emit(...dialect.join(room, name));

  const first = await connect("Ada", leaver === "first");
  if (client === "conference") {
    first.client.emit("make room", { roomName: room, roomID: room });
    await receives(first, ["give room list", { [room]: { roomName: room, members: [] } }]);
  }
  join(first);
  await receives(first, dialect.created(room, first));
  const second = await connect("Grace", leaver === "second");
  join(second);
  await receives(second, dialect.joined(first, second, room));
  const third = await connect("Hedy", false);
  if (dialect.full) {
    join(third);
    await receives(third, dialect.full(room));
  }

  const [gone, remaining] = leaver === "first" ? [first, second] : [second, first];
  if (transport === "polling") {
    await until("a long poll to wait", async () => ({ done: proxy.hasPendingGet || undefined }));
  }
  disconnect(proxy);
  const expected = dialect.left(gone, remaining, room);
  for (const event of expected) await receives(remaining, event);
  const order = expected.map((event) =>
    remaining.received.findLastIndex((other) => isDeepStrictEqual(other, event)),
  );
  expect(order, room).toEqual(order.toSorted((a, b) => a - b));
  await receives(third, dialect.joined(remaining, third, room), () => join(third));

  for (const { client } of [first, second, third]) client.close();
  await proxy.close();
}

/** Runs the test for every client with rooms, each transport, and either member. */
async function disconnectInAllDialects(
  server: ServerAddress,
  transports: Transport[],
  disconnect: (proxy: TcpProxy) => void,
): Promise<void> {
  const cases = Object.entries(DIALECTS).flatMap(([client, dialect]) =>
    transports.flatMap((transport) =>
      (["first", "second"] as const).map((leaver) =>
        disconnectOne({ client: client as Client, dialect, transport, leaver }, server, disconnect),
      ),
    ),
  );
  await Promise.all(cases);
}

test("a client whose long poll is cut leaves at once", async ({ server }) => {
  await disconnectInAllDialects(server, ["polling"], (proxy) => proxy.closeConnections());
});

test("a client whose WebSocket is cut leaves at once", async ({ server }) => {
  await disconnectInAllDialects(server, ["websocket"], (proxy) => proxy.closeConnections());
});

test.describe("with a short heartbeat", () => {
  test.use({ flags: ["--ping-interval", "2", "--ping-timeout", "3"] });

  test("a silent client with open connections leaves after the heartbeat timeout", async ({
    server,
  }) => {
    await disconnectInAllDialects(server, ["polling", "websocket"], (proxy) => proxy.freeze());
  });
});

test("on a path that is one room, a cut client does not affect remaining and new ones", async ({
  server,
}) => {
  const proxy = await TcpProxy.to(server.port);
  const [ada, gone] = await Promise.all(
    [server.url, proxy.url].map((url) => SocketClient.connect(url, "perfect-negotiation")),
  );
  const received: Event[] = [];
  ada!.listen((event) => received.push(event));
  gone!.emit("webrtc:signaling", "last words");
  await until("the last words", async () => ({ done: received.length > 0 || undefined }));
  proxy.closeConnections();
  const grace = await SocketClient.connect(server.url, "perfect-negotiation");
  grace.emit("webrtc:signaling", "hello");
  await until("hello", async () => ({ done: received.length > 1 || undefined }));
  expect(received).toEqual([
    ["webrtc:signaling", "last words"],
    ["webrtc:signaling", "hello"],
  ]);
  for (const client of [ada!, gone!, grace]) client.close();
  await proxy.close();
});
