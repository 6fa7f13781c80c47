// Events with which each published client joins a room and exchanges messages in it.

import type { Client } from "../support/tutorial.ts";
import type { Event, SocketClient } from "./socket-client.ts";

/** Unique content of a message. */
export interface Payload {
  room: string;
  /** Index of the sender among the members of the room. */
  from: number;
  /** Number of messages that the sender sent before. */
  number: number;
  text: string;
}

export interface ClientScript {
  /** The client has no rooms: all connections to its path form one. */
  oneRoom?: boolean;
  /** Event that creates a room, if rooms are created before they are joined. */
  create?(room: string): Event;
  /** Event that joins a room, unless connecting does. */
  join?(room: string, member: number): Event;
  /** Events that confirm the join. */
  joinEvents?: string[];
  /** Other events that may be received. */
  ignoredEvents?: string[];
  /** Event that sends a payload, to `other` if messages are addressed. */
  send(payload: Payload, self: SocketClient, other: SocketClient): Event;
  /** Event that the others receive for a sent one. */
  expected(sent: Event): Event;
  /** Payload of a received event. */
  payloadOf(received: Event): Payload | undefined;
}

/** Alternates offers, answers and candidates, as calls do. */
const alternate = (number: number, ...names: [string, ...string[]]) =>
  names[number % names.length] ?? names[0];

const firstArgument = ([, payload]: Event) => payload as Payload | undefined;

export const CLIENT_SCRIPTS: Record<Client, ClientScript> = {
  "video-chat": {
    join: (room) => ["join", room],
    joinEvents: ["created", "joined"],
    send: (payload) => [
      alternate(payload.number, "offer", "answer", "candidate"),
      payload,
      payload.room,
    ],
    expected: ([event, payload]) => [event, payload],
    payloadOf: firstArgument,
  },
  "perfect-negotiation": {
    oneRoom: true,
    send: (payload) => ["webrtc:signaling", payload],
    expected: (sent) => sent,
    payloadOf: firstArgument,
  },
  conference: {
    create: (room) => ["make room", { roomName: room, roomID: room }],
    join: (room, member) => [
      "join room",
      { roomID: room, streamID: `${room} ${member}`, userName: `${member}` },
    ],
    joinEvents: ["other users"],
    ignoredEvents: ["user joined", "give room list"],
    send: (payload, { id: caller }, { id: target }) => {
      const event = alternate(payload.number, "offer", "answer", "ice-candidate");
      return event === "ice-candidate"
        ? [event, { caller, candidate: payload, roomID: payload.room }]
        : [event, { target, caller, sdp: payload }];
    },
    expected: (sent) => sent,
    payloadOf: ([, argument]) => {
      const { sdp, candidate } = argument as { sdp?: Payload; candidate?: Payload };
      return sdp ?? candidate;
    },
  },
  "one-to-one": {
    join: (room, member) => ["join_room", { room, email: `${member}@example.org` }],
    joinEvents: ["all_users"],
    send: (payload) => [alternate(payload.number, "offer", "answer", "candidate"), payload],
    expected: ([event, payload]) => [
      `get${event.charAt(0).toUpperCase()}${event.slice(1)}`,
      payload,
    ],
    payloadOf: firstArgument,
  },
  codelab: {
    join: (room) => ["create or join", room],
    joinEvents: ["created", "joined"],
    ignoredEvents: ["join", "ready"],
    send: (payload) => ["message", payload],
    expected: (sent) => sent,
    payloadOf: firstArgument,
  },
};
