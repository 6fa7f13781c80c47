// Rooms created over Socket.IO, for settings that the page does not offer.

import { io, type Socket } from "socket.io-client";
import type { CreateRoom, Reply, RoomCreated } from "../../web/packages/client/src/protocol.ts";

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

/** Creates a room of another app. Its one member stays until the socket is closed. */
export async function createOtherAppRoom(url: string, room: string): Promise<Socket> {
  const socket = io(url, { forceNew: true, reconnection: false });
  const created = new Promise((resolve) => socket.once("created", resolve));
  socket.emit("join", room);
  await created;
  return socket;
}
