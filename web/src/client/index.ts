/** The client library: rooms, calls and devices, free of frameworks. */
export { createClient } from "./client.ts";
export { RequestError } from "./errors.ts";
export type * from "./face.ts";
export { isInterrupted } from "./media-state.ts";
export type {
  CreateRoom,
  ErrorCode,
  MediaState,
  NameError,
  ParticipantId,
  RoomName,
  RoomSummary,
  Topology,
} from "./protocol.ts";
export type { Source } from "./source.ts";
export type { Flow, Layer, Line, Moment, Statistics } from "./statistics.ts";
export type { Readable } from "./store.ts";
export type { Sight } from "./visible.ts";
