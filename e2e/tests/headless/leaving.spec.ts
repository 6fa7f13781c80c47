// Whoever goes without a word, by either transport, has left: those who stay hear what their client
// is to hear of it, and another comes in their place.

import { isDeepStrictEqual } from "node:util";
import { Caller, type Event } from "../../headless/caller.ts";
import { Cable } from "../../support/cable.ts";
import { expect, test } from "../../support/test.ts";
import type { Client } from "../../support/tutorial.ts";
import { until } from "../../support/until.ts";

/** Below any heartbeat's patience, unless a test asks for a hastier one. */
const AT_ONCE = 20_000;

/** How a client that knows places for two comes in, learns of it, and of one who goes. */
interface Etiquette {
  enter(room: string, name: string): Event;
  /** What one hears who comes first. */
  created(room: string, first: Person): Event;
  /** What one hears who comes second. */
  joined(first: Person, second: Person, room: string): Event;
  /** What one hears for whom there is no place, if places are counted. */
  full?: (room: string) => Event;
  /** What one hears of another who went. */
  left(gone: Person, stays: Person, room: string): Event[];
}

interface Person {
  name: string;
  id: string;
  heard: Event[];
  caller: Caller;
}

const ETIQUETTE: Partial<Record<Client, Etiquette>> = {
  "video-chat": {
    enter: (room) => ["join", room],
    created: () => ["created"],
    joined: () => ["joined"],
    full: () => ["full"],
    left: () => [],
  },
  conference: {
    enter: (room, name) => ["join room", { roomID: room, streamID: name, userName: name }],
    created: () => ["other users", []],
    joined: ({ id, name }) => ["other users", [{ socketID: id, streamID: name, userName: name }]],
    left: (gone, stays, room) => {
      const members = [{ socketID: stays.id, streamID: stays.name, userName: stays.name }];
      return [
        ["out user", { username: gone.name, streamID: gone.name }],
        ["give room list", { [room]: { roomName: room, members } }],
      ];
    },
  },
  "one-to-one": {
    enter: (room, name) => ["join_room", { room, email: name }],
    created: () => ["all_users", []],
    joined: ({ id, name }) => ["all_users", [{ id, email: name }]],
    full: () => ["room_full"],
    left: ({ id }) => [["user_exit", { id }]],
  },
  codelab: {
    enter: (room) => ["create or join", room],
    created: (room, { id }) => ["created", room, id],
    joined: (_, { id }, room) => ["joined", room, id],
    full: (room) => ["full", room],
    left: () => [],
  },
};

type Transport = "polling" | "websocket";

/** Two in a room, one of whom goes by way of their own cable, and a third who wants a place. */
async function part(
  client: Client,
  etiquette: Etiquette,
  server: { url: string; port: number },
  transport: Transport,
  whoGoes: "first" | "second",
  go: (cable: Cable) => void,
): Promise<void> {
  const room = `${client} ${transport} ${whoGoes}`;
  const cable = await Cable.to(server.port);
  const open = async (name: string, mortal: boolean): Promise<Person> => {
    const options = mortal ? { transports: [transport] } : {};
    const caller = await Caller.connect(mortal ? cable.url : server.url, client, options);
    const heard: Event[] = [];
    // Of a list of rooms, this one is of interest.
    const of = (rooms: Record<string, unknown>) => ({ [room]: rooms[room] });
    caller.listen(([name, ...args]) => {
      const list = name === "give room list";
      heard.push([name, ...(list ? [of(args[0] as Record<string, unknown>)] : args)]);
    });
    return { name, id: caller.id, heard, caller };
  };
  const hears = (person: Person, event: Event, again = () => {}) =>
    until(
      `${person.name} in ${room} to hear ${JSON.stringify(event)}`,
      async () => {
        again();
        const found = person.heard.some((heard) => isDeepStrictEqual(heard, event));
        return { done: found || undefined, seen: person.heard };
      },
      AT_ONCE,
    );
  const enter = ({ caller, name }: Person) => caller.emit(...etiquette.enter(room, name));

  const first = await open("Ada", whoGoes === "first");
  if (client === "conference") {
    first.caller.emit("make room", { roomName: room, roomID: room });
    await hears(first, ["give room list", { [room]: { roomName: room, members: [] } }]);
  }
  enter(first);
  await hears(first, etiquette.created(room, first));
  const second = await open("Grace", whoGoes === "second");
  enter(second);
  await hears(second, etiquette.joined(first, second, room));
  const third = await open("Hedy", false);
  if (etiquette.full) {
    enter(third);
    await hears(third, etiquette.full(room));
  }

  const [gone, stays] = whoGoes === "first" ? [first, second] : [second, first];
  if (transport === "polling") {
    await until("a poll to wait", async () => ({ done: cable.waits || undefined }));
  }
  go(cable);
  const left = etiquette.left(gone, stays, room);
  for (const event of left) await hears(stays, event);
  const places = left.map((event) => stays.heard.findLastIndex((h) => isDeepStrictEqual(h, event)));
  expect(places, room).toEqual(places.toSorted((a, b) => a - b));
  await hears(third, etiquette.joined(stays, third, room), () => enter(third));

  for (const { caller } of [first, second, third]) caller.close();
  await cable.close();
}

/** Every client that knows rooms, by either transport, whoever of the two goes. */
async function all(
  server: { url: string; port: number },
  transports: Transport[],
  go: (cable: Cable) => void,
): Promise<void> {
  const cases = Object.entries(ETIQUETTE).flatMap(([client, etiquette]) =>
    transports.flatMap((transport) =>
      (["first", "second"] as const).map((who) =>
        part(client as Client, etiquette, server, transport, who, go),
      ),
    ),
  );
  await Promise.all(cases);
}

test("whose long poll is cut has left at once", async ({ server }) => {
  await all(server, ["polling"], (cable) => cable.end());
});

test("whose WebSocket is cut has left at once", async ({ server }) => {
  await all(server, ["websocket"], (cable) => cable.end());
});

test.describe("with a hasty heartbeat", () => {
  test.use({ flags: ["--ping-interval", "2", "--ping-timeout", "3"] });

  test("who falls silent, with nothing cut, has left when the heartbeat ends", async ({
    server,
  }) => {
    await all(server, ["polling", "websocket"], (cable) => cable.freeze());
  });
});

test("on a path that is one room, those who stay and whoever comes hear each other when one is cut", async ({
  server,
}) => {
  const cable = await Cable.to(server.port);
  const [ada, gone] = await Promise.all(
    [server.url, cable.url].map((url) => Caller.connect(url, "perfect-negotiation")),
  );
  const heard: Event[] = [];
  ada!.listen((event) => heard.push(event));
  gone!.emit("webrtc:signaling", "last words");
  await until("the last words", async () => ({ done: heard.length > 0 || undefined }));
  cable.end();
  const grace = await Caller.connect(server.url, "perfect-negotiation");
  grace.emit("webrtc:signaling", "hello");
  await until("hello", async () => ({ done: heard.length > 1 || undefined }));
  expect(heard).toEqual([
    ["webrtc:signaling", "last words"],
    ["webrtc:signaling", "hello"],
  ]);
  for (const caller of [ada!, gone!, grace]) caller.close();
  await cable.close();
});
