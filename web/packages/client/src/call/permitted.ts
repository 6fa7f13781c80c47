// Media and messages that the room permits this participant to send, as the server enforces it.
import type { CallState } from "../api.ts";
import type { Role, TrackSource } from "../protocol.ts";
import { type MediaRights, SOURCES } from "../rtc/source.ts";

/** This participant and the rules of its room: a `CallState` is one. */
export type Permitted = Pick<CallState, "policy"> & {
  self: { role?: Role; withheld?: readonly TrackSource[] };
};

/** A participant that may be sent no media. */
interface Receiver {
  unsubscribed?: boolean;
}

/** Another participant: a `RemoteParticipant` is one. */
export interface Publisher {
  /** Absent in a room without hosts. */
  role?: Role;
  /** Sources that its token withholds. */
  withheld?: readonly TrackSource[];
  /** Sources muted by a host. */
  muted?: readonly TrackSource[];
}

/** True if a source may be published. */
export function mayPublish({ self, policy }: Permitted, source: TrackSource): boolean {
  if (self.role === "viewer" || self.withheld?.includes(source)) return false;
  const isScreen = source === "screen" || source === "screen_audio";
  return !isScreen || policy?.screen !== "hosts" || isHost(self.role);
}

/**
 * True if a source of another participant may be shown or played. The media server forwards no
 * other; on a mesh link anything may arrive, and is dropped here.
 */
export function mayReceive(
  { policy }: Pick<CallState, "policy">,
  from: Publisher,
  source: TrackSource,
): boolean {
  return mayPublish({ self: from, policy }, source) && !from.muted?.includes(source);
}

/** Media that this device may send and receive on links to others. */
export function mediaRights(call: Permitted & { self: Receiver }): MediaRights {
  return {
    sends: SOURCES.filter((source) => mayPublish(call, source)),
    receives: call.self.unsubscribed !== true,
  };
}

/** True if chat messages may be sent. */
export function mayChat({ self, policy }: Permitted): boolean {
  return policy?.chat !== "hosts" || isHost(self.role);
}

/** True if private messages may be sent to this participant. */
export function mayChatPrivately(call: Permitted, to: { role?: Role }): boolean {
  const { self, policy } = call;
  if (!mayChat(call)) return false;
  return policy?.private !== "hosts" || isHost(self.role) || isHost(to.role);
}

/** True if files may be offered. */
export function maySendFiles(call: Permitted): boolean {
  return mayChat(call) && (call.policy?.files !== "hosts" || isHost(call.self.role));
}

/** True if polls may be opened. */
export function mayPoll({ self }: Permitted): boolean {
  return self.role === undefined || isHost(self.role);
}

/** A host or co-host, whom no policy binds. */
export function isHost(role: Role | undefined): boolean {
  return role === "host" || role === "co_host";
}
