// Rooms made by a program, for what the page has no button for.

import { io, type Socket } from "socket.io-client";
import type { CreateRoom, Reply, RoomCreated } from "../../web/src/client/protocol.ts";

export async function createRoom(url: string, room: CreateRoom): Promise<void> {
  const socket = io(url, { forceNew: true, reconnection: false });
  try {
    const reply: Reply<RoomCreated> = await socket.timeout(15_000).emitWithAck("room:create", room);
    if ("error" in reply)
      throw new Error(`room:create: ${reply.error.code}: ${reply.error.message}`);
  } finally {
    socket.disconnect();
  }
}

/** A room of another app, with one in it until the socket ends. */
export async function meetElsewhere(url: string, room: string): Promise<Socket> {
  const socket = io(url, { forceNew: true, reconnection: false });
  const created = new Promise((resolve) => socket.once("created", resolve));
  socket.emit("join", room);
  await created;
  return socket;
}
