/** The client library: rooms, calls and devices, independent of any UI framework. */
export type * from "./api.ts";
export { isInterrupted } from "./call/media-state.ts";
export {
  isHost,
  mayChat,
  mayChatPrivately,
  mayPoll,
  mayPublish,
  mayReceive,
} from "./call/permitted.ts";
export { createClient } from "./client.ts";
export { isRefusal } from "./devices/devices.ts";
export {
  type DevicesFacts,
  examineDevices,
  type OpenedDevice,
} from "./devices/examine-devices.ts";
export type {
  AskPoll,
  CreateRoom,
  Entry,
  ErrorCode,
  Invitation,
  Invited,
  MediaState,
  NameError,
  ParticipantId,
  Policy,
  Role,
  RoomName,
  RoomSummary,
  Topology,
  TrackSource,
  Waiting,
} from "./protocol.ts";
export type { Source } from "./rtc/source.ts";
export { RequestError } from "./signaling/errors.ts";
export {
  NOBODY,
  type PersonSession,
  personSession,
  signInAddress,
  signOut,
} from "./signaling/person.ts";
export { isUploadWeak } from "./stats/upload.ts";
export type { Readable } from "./store.ts";
