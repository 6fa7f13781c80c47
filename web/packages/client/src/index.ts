/**
 * The client library of moim: rooms, calls and devices, independent of any UI framework. Begin with
 * `createClient`.
 *
 * @packageDocumentation
 */
export type * from "./api.ts";
export { isInterrupted } from "./call/media-state.ts";
export {
  isHost,
  mayChat,
  mayChatPrivately,
  mayPoll,
  mayPublish,
  mayReceive,
  maySendFiles,
  type Permitted,
  type Publisher,
} from "./call/permitted.ts";
export { createClient } from "./client.ts";
export { isRefusal, type Refusal } from "./devices/devices.ts";
export {
  type ChosenInputs,
  type DevicesFacts,
  examineDevices,
  type OpenedDevice,
} from "./devices/examine-devices.ts";
export { safeFileName, splitFileName } from "./files/file-name.ts";
export { withdrawnKey } from "./files/keys.ts";
export type { ClientOptions, KeyValueStorage } from "./options.ts";
export type {
  Allowed,
  AskPoll,
  CreateRoom,
  Credential,
  DeviceSecret,
  Dismissal,
  DisplayName,
  Entry,
  ErrorCode,
  FileId,
  FileName,
  FileSize,
  Interrupted,
  Invitation,
  InvitationId,
  Invited,
  InviteRequest,
  MediaState,
  NameError,
  ParticipantId,
  Password,
  Policy,
  PolicyChange,
  Poll as PollResult,
  PollId,
  PollOption,
  PollText,
  Role,
  RoomName,
  RoomSummary,
  SettingsRequest,
  SharedFile,
  Topology,
  TopologyChoice,
  TrackSource,
  Waiting,
} from "./protocol.ts";
export { RequestError } from "./signaling/errors.ts";
export { isUploadWeak } from "./stats/upload.ts";
export type { Readable } from "./store.ts";
