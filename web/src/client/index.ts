/** The client library: rooms, calls and devices, free of frameworks. */
export { RequestError } from "./errors.ts";
export type * from "./face.ts";
export type {
  CreateRoom,
  ErrorCode,
  MediaState,
  ParticipantId,
  RoomName,
  RoomSummary,
  Topology,
} from "./protocol.ts";
export type { Readable } from "./store.ts";
