// Events of the server that concern a call.
import type { ServerEvents } from "../protocol.ts";
import type { Signaling } from "../signaling/signaling.ts";

const ROOM_EVENTS = [
  "participant:joined",
  "participant:updated",
  "participant:left",
  "topology",
  "subscribed",
  "wanted",
  "refused",
  "handover",
  "speakers",
  "chat",
  "file:signal",
  "file:withdrawn",
  "ice:servers",
  "muted",
  "unmute",
  "hand_lowered",
  "spotlight",
  "reaction",
  "poll",
  "poll:removed",
  "room:settings",
  "room:dismissed",
  "waiting:joined",
  "waiting:left",
  "signal",
] as const satisfies readonly (keyof ServerEvents)[];

type RoomEventName = (typeof ROOM_EVENTS)[number];

/** An event with its payload as in the protocol. */
export type RoomEvent = {
  [E in RoomEventName]: { is: E; payload: ServerEvents[E] };
}[RoomEventName];

/** Subscribes to every event of a room. `number` is the event's sequence number there. */
export function subscribeRoomEvents(
  signaling: Signaling,
  handle: (event: RoomEvent, number: number | undefined) => void,
): void {
  for (const is of ROOM_EVENTS) {
    signaling.on(is, (payload, number) => handle({ is, payload } as RoomEvent, number));
  }
}
