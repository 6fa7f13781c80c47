// What each published client says to come into a room and to talk there, and what is heard of it.

import type { Client } from "../support/tutorial.ts";
import type { Caller, Event } from "./caller.ts";

/** Something said in a room, unlike anything else that is said. */
export interface Words {
  room: string;
  /** Who of the room says it. */
  from: number;
  /** How many things they said before. */
  number: number;
  text: string;
}

export interface Script {
  /** Whether its path is the one room there is. */
  oneRoom?: boolean;
  /** What makes the room, where clients make rooms before they enter. */
  make?(room: string): Event;
  /** What enters it, if being connected does not. */
  enter?(room: string, person: number): Event;
  /** What a newcomer hears who has come in. */
  welcomes?: string[];
  /** What may be heard besides. */
  gossip?: string[];
  /** Says the words, to somebody if clients say to whom. */
  say(words: Words, me: Caller, other: Caller): Event;
  /** What the others hear of that. */
  heard(said: Event): Event;
  /** The words in what was heard. */
  words(heard: Event): Words | undefined;
}

/** Offers, answers and candidates by turns, as calls have them. */
const turn = (number: number, ...names: [string, ...string[]]) =>
  names[number % names.length] ?? names[0];

const argument = ([, words]: Event) => words as Words | undefined;

export const SCRIPTS: Record<Client, Script> = {
  "video-chat": {
    enter: (room) => ["join", room],
    welcomes: ["created", "joined"],
    say: (words) => [turn(words.number, "offer", "answer", "candidate"), words, words.room],
    heard: ([event, words]) => [event, words],
    words: argument,
  },
  "perfect-negotiation": {
    oneRoom: true,
    say: (words) => ["webrtc:signaling", words],
    heard: (said) => said,
    words: argument,
  },
  conference: {
    make: (room) => ["make room", { roomName: room, roomID: room }],
    enter: (room, person) => [
      "join room",
      { roomID: room, streamID: `${room} ${person}`, userName: `${person}` },
    ],
    welcomes: ["other users"],
    gossip: ["user joined", "give room list"],
    say: (words, { id: caller }, { id: target }) => {
      const event = turn(words.number, "offer", "answer", "ice-candidate");
      return event === "ice-candidate"
        ? [event, { caller, candidate: words, roomID: words.room }]
        : [event, { target, caller, sdp: words }];
    },
    heard: (said) => said,
    words: ([, about]) => {
      const { sdp, candidate } = about as { sdp?: Words; candidate?: Words };
      return sdp ?? candidate;
    },
  },
  "one-to-one": {
    enter: (room, person) => ["join_room", { room, email: `${person}@example.org` }],
    welcomes: ["all_users"],
    say: (words) => [turn(words.number, "offer", "answer", "candidate"), words],
    heard: ([event, words]) => [`get${event.charAt(0).toUpperCase()}${event.slice(1)}`, words],
    words: argument,
  },
  codelab: {
    enter: (room) => ["create or join", room],
    welcomes: ["created", "joined"],
    gossip: ["join", "ready"],
    say: (words) => ["message", words],
    heard: (said) => said,
    words: argument,
  },
};
