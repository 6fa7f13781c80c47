// A small school site with calls by moim: its own log-in decides who enters which room, and as what.
//
//   MOIM_URL=https://moim.example MOIM_KEY=school MOIM_SECRET=… npm start

import { createServer } from "node:http";
import { AccessToken, TrackSource } from "livekit-server-sdk";

const { MOIM_URL, MOIM_KEY, MOIM_SECRET, PORT = "3000" } = process.env;
if (!MOIM_URL || !MOIM_KEY || !MOIM_SECRET) {
  throw new Error("set MOIM_URL, MOIM_KEY and MOIM_SECRET");
}

/** In place of the site's own accounts and lessons. */
const PEOPLE = {
  ms_kim: { name: "Kim", teaches: ["maths"] },
  ann: { name: "Ann", attends: ["maths"] },
  ben: { name: "Ben", attends: [] },
};

/** A token for one person and one room, or null if that person has no business there. */
export async function joinToken(id, room) {
  const person = PEOPLE[id];
  const isTeacher = person?.teaches?.includes(room) ?? false;
  if (!isTeacher && !person?.attends?.includes(room)) return null;
  const token = new AccessToken(MOIM_KEY, MOIM_SECRET, {
    identity: id,
    name: person.name,
    // It has to be valid when the call begins, not until the call ends.
    ttl: "10m",
  });
  // A teacher is the room's host. Pupils may speak, but not share a screen.
  token.addGrant({
    roomJoin: true,
    room,
    roomAdmin: isTeacher,
    ...(!isTeacher && { canPublishSources: [TrackSource.CAMERA, TrackSource.MICROPHONE] }),
  });
  return token.toJwt();
}

export const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const room = /^\/lessons\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (!room) return response.writeHead(404).end("There is no such page.\n");
  // In place of the site's own session.
  const token = await joinToken(url.searchParams.get("as"), room);
  if (!token) return response.writeHead(403).end("This is not your lesson.\n");
  // The token is in the fragment, which browsers send to no server, so no log has it.
  response.writeHead(303, {
    Location: `${MOIM_URL}/r/${encodeURIComponent(room)}#token=${token}`,
    "Cache-Control": "no-store",
  });
  response.end();
});

if (import.meta.main ?? process.argv[1] === import.meta.filename) server.listen(Number(PORT));
