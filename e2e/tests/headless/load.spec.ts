// All five published clients at once on one listener: each message in a room is received by every
// other member of it, once and in order, and by nobody else.

import { CLIENT_SCRIPTS } from "../../headless/client-scripts.ts";
import { LoadRoom } from "../../headless/load-room.ts";
import { SocketClient } from "../../headless/socket-client.ts";
import { expect, test } from "../../support/test.ts";
import type { Client } from "../../support/tutorial.ts";

/** Number of rooms of each client that has rooms. */
const ROOMS = 100;
/** Number of members in the one room of a client without rooms. */
const ONE_ROOM_MEMBERS = 10;
/** Messages of each member: a thousand in a room of two. */
const MESSAGES = 500;

test("a hundred rooms of each of five clients exchange a thousand messages each, in order", async ({
  server,
}) => {
  test.slow();
  const problems: string[] = [];
  const onProblem = (problem: string) => {
    if (problems.length < 20) problems.push(problem);
  };
  const names = Array.from({ length: ROOMS }, (_, number) => `room ${number}`);
  const lobby = await createRooms(server.url, names);
  const rooms = await Promise.all(
    (Object.keys(CLIENT_SCRIPTS) as Client[]).flatMap((client) => {
      const createRoom = (size: number, room: string) =>
        LoadRoom.of(size, server.url, client, room, onProblem);
      // The same names for all clients, whose rooms are separate nevertheless.
      return CLIENT_SCRIPTS[client].oneRoom
        ? [createRoom(ONE_ROOM_MEMBERS, "path")]
        : names.map((room) => createRoom(2, room));
    }),
  );

  await Promise.all(rooms.map((room) => room.exchange(MESSAGES)));
  // Misdelivered messages were queued before these, so they are received before them.
  await Promise.all(rooms.map((room) => room.exchange(1)));
  expect(problems).toEqual([]);
  for (const room of rooms) room.leave();
  lobby.close();
});

/** Creates the rooms of the client whose rooms must exist before they are joined. */
async function createRooms(url: string, names: string[]): Promise<SocketClient> {
  const lobby = await SocketClient.connect(url, "conference");
  await new Promise<void>((resolve) => {
    lobby.listen(([event, rooms]) => {
      if (event === "give room list" && Object.keys(rooms as object).length === names.length)
        resolve();
    });
    for (const name of names) lobby.emit(...CLIENT_SCRIPTS.conference.create!(name));
  });
  return lobby;
}
