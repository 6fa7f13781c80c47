/** The request that creates a room, from the fields of the form. */
import type { CreateRoom, Policy } from "moim-client";

export interface CreateOptions {
  /** Participant limit as typed. */
  capacity: string;
  password: string;
  /** A template's name; empty for none. */
  template: string;
  hasWaitingRoom: boolean;
}

/** Everything allowed, once a host has let somebody in. */
const WAITING_ROOM: Policy = {
  entry: "waiting",
  chat: "everybody",
  screen: "everybody",
  newcomers: "speaker",
};

/** A template settles what is absent: the rules, and whether the room is listed if `listed` is. */
export function createRequest(
  name: string,
  listed: boolean | undefined,
  options: CreateOptions,
): CreateRoom {
  const { capacity, password, template, hasWaitingRoom } = options;
  const limit = Number.parseInt(capacity, 10);
  return {
    name,
    ...(listed !== undefined && { listed }),
    ...(limit > 0 && { capacity: limit }),
    ...(password && { password }),
    ...(template && { template }),
    ...(hasWaitingRoom && !template && { policy: WAITING_ROOM }),
  };
}
