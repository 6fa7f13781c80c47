// All five published clients at once on one listener: whatever is said in a room is heard there,
// by everyone else, once and in order, and nowhere else.

import { Caller } from "../../headless/caller.ts";
import { Meeting } from "../../headless/meeting.ts";
import { SCRIPTS } from "../../headless/scripts.ts";
import { expect, test } from "../../support/test.ts";
import type { Client } from "../../support/tutorial.ts";

/** Of each client that has rooms. */
const ROOMS = 100;
/** In the one room of a client that has none: each hears everybody. */
const CROWD = 10;
/** By each person: a thousand in a room of two. */
const THINGS = 500;

test("a hundred rooms of each of five clients exchange a thousand messages each, in order and to themselves", async ({
  server,
}) => {
  test.slow();
  const problems: string[] = [];
  const complain = (problem: string) => {
    if (problems.length < 20) problems.push(problem);
  };
  const names = Array.from({ length: ROOMS }, (_, number) => `room ${number}`);
  const lobby = await openRooms(server.url, names);
  const meetings = await Promise.all(
    (Object.keys(SCRIPTS) as Client[]).flatMap((client) => {
      const meet = (size: number, room: string) =>
        Meeting.of(size, server.url, client, room, complain);
      // The same names for all: rooms of one client are none of another's.
      return SCRIPTS[client].oneRoom ? [meet(CROWD, "path")] : names.map((room) => meet(2, room));
    }),
  );

  await Promise.all(meetings.map((meeting) => meeting.talk(THINGS)));
  // What went astray has been queued before what is said now, and so is heard before it.
  await Promise.all(meetings.map((meeting) => meeting.talk(1)));
  expect(problems).toEqual([]);
  for (const meeting of meetings) meeting.leave();
  lobby.close();
});

/** Makes the rooms of the client whose rooms are made before they are entered. */
async function openRooms(url: string, names: string[]): Promise<Caller> {
  const lobby = await Caller.connect(url, "conference");
  await new Promise<void>((resolve) => {
    lobby.listen(([event, rooms]) => {
      if (event === "give room list" && Object.keys(rooms as object).length === names.length)
        resolve();
    });
    for (const name of names) lobby.emit(...SCRIPTS.conference.make!(name));
  });
  return lobby;
}
