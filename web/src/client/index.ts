/** The client library: rooms, calls and devices, free of frameworks. */
export { createClient } from "./client.ts";
export { RequestError } from "./signaling/errors.ts";
export type * from "./api.ts";
export { isInterrupted } from "./call/media-state.ts";
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
export type { Source } from "./rtc/source.ts";
export type { Flow, Layer, Line, Moment, Statistics } from "./stats/statistics.ts";
export type { Readable } from "./store.ts";
export type { Sight } from "./topology/viewport.ts";
