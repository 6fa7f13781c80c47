// The library's public types. State is exposed as a `Readable`, actions are methods.
import type {
  AskPoll,
  CreateRoom,
  Dismissal,
  ErrorCode,
  Invitation,
  InvitationId,
  Invited,
  InviteRequest,
  MediaState,
  ParticipantId,
  Policy,
  Poll as PollResult,
  Role,
  RoomName,
  RoomSummary,
  SettingsRequest,
  SharedFile,
  Topology,
  TrackSource,
  Waiting,
} from "./protocol.ts";
import type { FileRejection, FilesState } from "./shared-files.ts";
import type { CallFacts, Statistics } from "./statistics.ts";
import type { Readable } from "./store.ts";

export type * from "./shared-files.ts";
export type * from "./statistics.ts";

/** Entry point to moim, created by `createClient()`. It is in one call at a time. */
export interface Client {
  /** State of the connection to the server. */
  readonly server: Readable<ServerState>;
  /** The open rooms. */
  readonly lobby: Lobby;
  /** This device's microphone, camera and screen, in the preview and in the call. */
  readonly media: LocalMedia;
  /**
   * Enters a room. The call sends the tracks that `media` has on, now and later.
   * Rejects with a `RequestError`: `room_full`, `password_required`, `wrong_password`, …. In a
   * waiting room the promise stays pending until a host decides.
   */
  join(request: JoinRequest): Promise<Call>;
  /**
   * Loads the script of a call ahead of `join`, which otherwise loads it itself. Rejects with
   * `unreachable`.
   */
  prepare(): Promise<void>;
  /** Gives up a pending `join`, which rejects with `cancelled`. */
  cancelJoin(): void;
  /** Tries at once to reach the server and the others, rather than after the usual delay. */
  wake(): void;
  /**
   * Leaves the call, closes the devices and disconnects for good. A pending or later `join` rejects
   * with `cancelled`. A page that is left needs no `close`.
   */
  close(): void;
}

/** `draining`: the server announced its shutdown; peer-to-peer calls continue. */
export type ServerState = "connecting" | "online" | "draining" | "offline";

/** A request to enter a room. */
export interface JoinRequest {
  /** Name of the room. It is opened unless there is one, where the server lets everybody do so. */
  room: RoomName;
  /** Display name. */
  name: string;
  /** Password of the room. */
  password?: string;
  /**
   * Join token of an application. A function is called for each join, also when the call must enter
   * the room once more after a long outage: so a token that is valid for minutes is enough.
   */
  token?: string | (() => string | Promise<string>);
  /** Key of an invitation. */
  invitation?: string;
  /** Called once this participant is in the waiting room. */
  onWaiting?: () => void;
}

/** The live list of rooms. */
export interface Lobby extends Readable<LobbyState> {
  /** Keeps the list live until the returned function is called. */
  open(): () => void;
  /** Creates a room. Rejects with a `RequestError`: `room_exists`, `invalid`, …. */
  create(room: CreateRoom): Promise<RoomSummary>;
  /**
   * Tells whether joining a room needs its password, of a room that is not in the list too. Rejects
   * with a `RequestError`: `rate_limited`, `unreachable`, ….
   */
  isLocked(room: string): Promise<boolean>;
}

/** State of the list of rooms. */
export interface LobbyState {
  /** The list has arrived at least once. */
  readonly loaded: boolean;
  /** The open rooms. */
  readonly rooms: readonly RoomSummary[];
  /** False where the server does not show its rooms to this visitor. */
  readonly isShown: boolean;
  /** Names of the server's templates for `create`. */
  readonly templates: readonly string[];
}

/** A joined call. The page renders its snapshot. */
export interface Call extends Readable<CallState> {
  /** Raises or lowers the hand. */
  setHand(raised: boolean): void;
  /** Sends a chat message to the room, or privately to one; blank text is ignored. */
  sendChat(text: string, to?: ParticipantId): void;
  /** Files that participants share in the chat. */
  readonly files: FileSharing;
  /** Sets the displayed size of each remote video, which bounds what the media server sends. */
  setViewports(viewports: readonly Viewport[]): void;
  /** Sets what this participant receives. Nothing changes for the others. */
  setReception(reception: Reception): void;
  /** Limits the camera that is sent. */
  setSendLimit(limit: SendLimit): void;
  /** Statistics of every link, measured every two seconds. */
  readonly statistics: Readable<Statistics>;
  /**
   * Facts of the last 20 seconds about why the call is bad, for `/api/doctor/judge`; null in the
   * first seconds, and while there is no link.
   */
  readonly callFacts: CallFacts | null;
  /** Actions on the room's polls. */
  readonly polling: Polling;
  /** Actions of hosts. The server rejects those that the role does not permit. */
  readonly hosting: Hosting;
  /** Shows an emoji to everybody for a moment. */
  react(emoji: string): void;
  /** Answers a host's request to turn a source on: `CallState.unmuteRequest` becomes null. */
  dismissUnmuteRequest(): void;
  /** Leaves; the status becomes `ended`. Devices stay open: see `media.stop()`. */
  leave(): void;
}

/** The media to receive: everything, small videos, or no video at all. */
export type Reception = "all" | "less" | "sound";

/** Limit of the camera that is sent: none but the link's, 360 or 180 lines. */
export type SendLimit = "auto" | "low" | "saver";

/** Requests of hosts and co-hosts. Each resolves once the server has carried it out. */
export interface Hosting {
  /** Mutes these participants, or all others with a lower role. */
  mute(
    participants: readonly ParticipantId[] | null,
    sources: readonly TrackSource[],
  ): Promise<void>;
  /** Asks a participant to turn sources on. */
  askToUnmute(participant: ParticipantId, sources: readonly TrackSource[]): Promise<void>;
  /**
   * Lowers the hands of these participants, or of all others with no higher role. Each stays down
   * until its owner raises it again.
   */
  lowerHands(participants: readonly ParticipantId[] | null): Promise<void>;
  /** Removes a participant, which may not return with this device. */
  remove(participant: ParticipantId): Promise<void>;
  /** Admits these from the waiting room, or all. */
  admit(participants: readonly ParticipantId[] | null): Promise<void>;
  /** Turns these away from the waiting room, or all. */
  deny(participants: readonly ParticipantId[] | null): Promise<void>;
  /** Changes the role of a participant. */
  setRole(participant: ParticipantId, role: Role): Promise<void>;
  /** Changes the rules, the password or the capacity of the room. */
  changeSettings(settings: SettingsRequest): Promise<void>;
  /** Shows these participants large to everybody; none ends it. */
  spotlight(participants: readonly ParticipantId[]): Promise<void>;
  /** Makes an invitation; its key is told only here. */
  invite(invitation: InviteRequest): Promise<Invited>;
  /** Nobody enters with it any more. */
  revoke(invitation: InvitationId): Promise<void>;
  /** The invitations of the room. */
  invitations(): Promise<readonly Invitation[]>;
  /** Ends the call for everybody. */
  end(): Promise<void>;
}

/**
 * Files that participants share. An offer is a message in the chat with a `file`; the bytes travel
 * from the sender to each recipient who wants them, encrypted between the two, and never all at once
 * in memory. A transfer that breaks goes on by itself.
 */
export interface FileSharing extends Readable<FilesState> {
  /** Largest file, in bytes; 0 on a server without files. */
  readonly maxBytes: number;
  /**
   * Offers files to the room, or privately to one. Returns those that can't be offered, with the
   * reason.
   */
  offer(files: readonly File[], to?: ParticipantId): readonly FileRejection[];
  /** Takes an own offer back and stops its transfers. */
  withdraw(file: string): void;
  /** Receives the file of a message, or tries again. */
  receive(message: ChatMessage): void;
  /** Tells the sender that the file is not wanted. */
  refuse(message: ChatMessage): void;
  /** Stops receiving. */
  cancel(file: string): void;
  /** The content of a received file, whose type is never that which its sender claims. */
  content(file: string): Promise<Blob | null>;
}

/** Polls of a room. Each action resolves once the server has carried it out. */
export interface Polling {
  /** Opens a poll. The server permits it to hosts, and in a room without hosts to everybody. */
  ask(poll: AskPoll): Promise<void>;
  /** Chooses options by their positions, in place of earlier ones; none withdraws the vote. */
  vote(poll: number, options: readonly number[]): Promise<void>;
  /** Ends the voting. */
  close(poll: number): Promise<void>;
  /** Removes a poll with its result. */
  remove(poll: number): Promise<void>;
}

/** A poll with its result so far. */
export type Poll = Omit<PollResult, "mine"> & {
  /** Positions of the options that this participant has chosen. */
  readonly mine: readonly number[];
};

/** A host's request to turn sources on. */
export interface UnmuteRequest {
  /** Name of the host. */
  readonly by: string;
  /** The sources to turn on. */
  readonly sources: readonly TrackSource[];
}

/** An emoji that a participant shows for a moment. */
export interface Reaction {
  /** Unique in the call. */
  readonly key: number;
  /** The participant that shows it. */
  readonly from: ParticipantId;
  /** Its name. */
  readonly name: string;
  /** One emoji. */
  readonly emoji: string;
}

/** State of a call. */
export interface CallState {
  /** `reconnecting`: the server is out of reach for now; peer-to-peer media continues. */
  readonly status: "joined" | "reconnecting" | "ended";
  /** Reason of the end; null while the call goes on and after a normal end. */
  readonly error: { readonly code: RequestErrorCode; readonly message: string } | null;
  /** The room, as in the lobby. */
  readonly room: RoomSummary;
  /** Media goes peer to peer (`mesh`) or through the media server (`sfu`). */
  readonly topology: Topology;
  /** This device can't reach the media server and is connected peer to peer instead. */
  readonly sfuUnreachable: boolean;
  /** The media that this participant receives. */
  readonly reception: Reception;
  /** The remote participant that speaks, or spoke last. */
  readonly speaker: ParticipantId | null;
  /** Rules of the room; null in a room without hosts. */
  readonly policy: Policy | null;
  /** People in the waiting room, for those who may admit them. */
  readonly waiting: readonly Waiting[];
  /** Participants that a host shows large to everybody. */
  readonly spotlight: readonly ParticipantId[];
  /** A host asks this participant to turn sources on. */
  readonly unmuteRequest: UnmuteRequest | null;
  /** The last time that a host muted this participant. */
  readonly mutedBy: { readonly name: string; readonly sources: readonly TrackSource[] } | null;
  /** The last time that a host lowered this participant's hand. */
  readonly handLoweredBy: { readonly name: string } | null;
  /** The newest reaction, also one's own. */
  readonly reaction: Reaction | null;
  /** Messages since this device joined, the oldest first; bounded in number. */
  readonly chat: readonly ChatMessage[];
  /** Polls of the room, the oldest first. */
  readonly polls: readonly Poll[];
  /** This participant. */
  readonly self: CallParticipant;
  /**
   * Ids that it had before in this room, the oldest first: on the page that this one replaced by a
   * reload, and before it rejoined as another participant. Its earlier chat messages are from these.
   */
  readonly formerIds: readonly ParticipantId[];
  /** The others, in the order they joined. */
  readonly others: readonly RemoteParticipant[];
}

/** State of a participant that local and remote ones share. */
export interface CallParticipant {
  /** Unique in the room. */
  readonly id: ParticipantId;
  /** Display name. */
  readonly name: string;
  /** Position among participants whose names look alike, from 2 on; absent for the first. */
  readonly alike?: number;
  /** Sources that are on. */
  readonly media: MediaState;
  /** Absent in a room without hosts. */
  readonly role?: Role;
  /** Sources muted by a host; they are not played, whatever arrives. Absent if none. */
  readonly muted?: readonly TrackSource[];
  /** Sources that its token withholds. Absent if none. */
  readonly withheld?: readonly TrackSource[];
  /** It may receive no media. */
  readonly unsubscribed?: boolean;
  /** Ascending in the order in which hands were raised; absent if the hand is down. */
  readonly raised?: number;
  /** It speaks at this moment. */
  readonly speaking: boolean;
  /** Connection quality; null while unknown. */
  readonly quality: Quality | null;
}

/** Connection quality, from the statistics of both ends. */
export type Quality = "good" | "fair" | "poor";

/** A message of the chat. */
export interface ChatMessage {
  /** Unique in the call. */
  readonly key: string;
  /** The sender. */
  readonly from: ParticipantId;
  /** The sender's name at that time, kept after the sender left. */
  readonly name: string;
  /** The sender's `alike` at that time. */
  readonly alike?: number;
  /** Plain text. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Only the sender and one recipient have it. */
  readonly isPrivate?: boolean;
  /** The recipient of an own private message. */
  readonly to?: Pick<CallParticipant, "id" | "name" | "alike">;
  /** The file that the message offers; its name is the text. */
  readonly file?: SharedFile;
  /** It was said before this page joined. */
  readonly earlier?: boolean;
  /** `sending` until the server acknowledged it. */
  readonly status: "sending" | "sent" | "failed";
}

/** Another participant. */
export interface RemoteParticipant extends CallParticipant {
  /** State of the link that carries its media. */
  readonly connection: ConnectionState;
  /** It can't use the media server and is connected peer to peer in any room. */
  readonly direct: boolean;
  /** The media server receives nothing from it. */
  readonly interrupted?: boolean;
  /** Microphone and camera for a `<video>`; null until a track arrives. */
  readonly stream: MediaStream | null;
  /** Shared screen and its audio, likewise; `media.screen` tells whether one is shared. */
  readonly screen: MediaStream | null;
  /**
   * Sources that this browser can't decode, and on a direct link also sources that the other end
   * rejected; absent if there are none. `media` tells which of them are on.
   */
  readonly unplayable?: readonly TrackSource[];
}

/** `reconnecting`: connected before, or being retried. */
export type ConnectionState = "connecting" | "connected" | "reconnecting" | "failed";

/** Displayed size of a remote video in device pixels; 0 by 0 while it is out of view. */
export interface Viewport {
  /** The participant that sends it. */
  readonly participant: ParticipantId;
  /** `camera` or `screen`. */
  readonly source: TrackSource;
  /** Device pixels. */
  readonly width: number;
  /** Device pixels. */
  readonly height: number;
}

/**
 * This device's microphone, camera and screen. No method throws: see `problem`. Turning off and
 * `stop` act at once, even while a device is being opened; it is closed as soon as it opens.
 */
export interface LocalMedia extends Readable<LocalMediaState> {
  /**
   * Opens the devices with one permission prompt for both. If one is refused, missing or never
   * answers, the other opens nevertheless. Retries a device that does not answer or that the system
   * interrupts.
   */
  start(wanted: { microphone: boolean; camera: boolean }): Promise<void>;
  /** On opens the microphone unless it is open; off mutes it and keeps it open. */
  setMicrophone(on: boolean): Promise<void>;
  /** On opens the camera; off closes it, so that its light goes out. */
  setCamera(on: boolean): Promise<void>;
  /**
   * On lets the person choose a screen, a window or a tab and needs a user gesture; off ends it.
   * The browser's own button may also end it.
   */
  setScreen(on: boolean): Promise<void>;
  /** Chooses a device and stores the choice. */
  choose(kind: DeviceKind, deviceId: string): Promise<void>;
  /** Opens a phone's other camera: see `LocalMediaState.canFlipCamera`. */
  flipCamera(): Promise<void>;
  /** Sets how the browser processes the microphone; an open one is opened once more. */
  setProcessing(processing: SoundProcessing): Promise<void>;
  /** Filters the microphone before it is sent; null sends it as it is captured. */
  setMicrophoneFilter(filter: TrackFilter | null): void;
  /**
   * Filters the camera before it is sent and shown. Nothing is sent until the filter runs, or if it
   * can't run; null sends the camera as it is captured.
   */
  setCameraFilter(filter: TrackFilter | null): void;
  /** Records the open microphone as it is sent, filter included, muted or not. Rejects without one. */
  recordMicrophone(milliseconds: number): Promise<Blob>;
  /**
   * Mutes the microphone for a test, which `voice` says nothing about, until the returned function
   * is called. That unmutes it if it was on and nobody has muted, unmuted or closed it meanwhile.
   */
  muteForTest(): () => void;
  /** Closes every device. The choices and what is on are kept for the next `start`. */
  stop(): void;
  /** Level of the open microphone, 0 to 1, ten times a second while subscribed. */
  readonly level: Readable<number>;
  /** Hint from the microphone's level, while subscribed; `dismiss` ends the current hint. */
  readonly voice: Readable<VoiceHint | null> & { dismiss(): void };
}

/**
 * - `muted`: the person speaks, but the microphone is muted;
 * - `silent`: the microphone is on, but has delivered digital silence for ten seconds.
 */
export type VoiceHint = "muted" | "silent";

/** Starts a filter of a track. Rejects if it can't run. The input stays its owner's. */
export type TrackFilter = (input: MediaStreamTrack) => Promise<{
  readonly track: MediaStreamTrack;
  readonly stop: () => void;
}>;

/** Processing of the microphone before it is sent. */
export interface SoundProcessing {
  /** Suppression of noise: none, the browser's, or a neural network in the page. */
  readonly noise: "off" | "browser" | "strong";
  /** The browser evens out the volume. */
  readonly autoGain: boolean;
  /** For instruments: no processing at all, captured in stereo. */
  readonly isMusic: boolean;
}

/** Kind of device. */
export type DeviceKind = "microphone" | "camera" | "speaker";

/** A device that the browser lists. */
export interface Device {
  /** Its `deviceId`. */
  readonly id: string;
  /** Empty until permission is granted. */
  readonly label: string;
}

/** State of this device's media. */
export interface LocalMediaState {
  /** The microphone. */
  readonly microphone: LocalDevice;
  /** The camera. */
  readonly camera: LocalDevice;
  /** The chosen speaker; null is the system's default. */
  readonly speaker: string | null;
  /** Argument for `setSinkId`: the chosen speaker while it is present, else "". */
  readonly sink: string;
  /** The devices that the browser lists. */
  readonly devices: Readonly<Record<DeviceKind, readonly Device[]>>;
  /** The filter of the microphone could not run: it is sent as it is captured. */
  readonly hasFilterFailed: boolean;
  /** The filter of the camera could not run: nothing of the camera is sent. */
  readonly hasCameraFilterFailed: boolean;
  /** The open camera is one of a phone's two, which look in opposite directions. */
  readonly canFlipCamera: boolean;
  /** The camera as it is sent, for a muted `<video>`; null while it is off or its filter starts. */
  readonly cameraStream: MediaStream | null;
  /** The screen that is shared. */
  readonly screen: LocalScreen;
}

/** State of sharing the screen. */
export interface LocalScreen {
  /** A screen is being shared. */
  readonly on: boolean;
  /** The browser's picker is open. */
  readonly opening: boolean;
  /** Reason of the last failure; null after a success and if the person cancelled. */
  readonly problem: DeviceProblem | null;
  /** The shared screen for a muted `<video>`. */
  readonly stream: MediaStream | null;
}

/** State of the microphone or the camera. */
export interface LocalDevice {
  /** It sends: a microphone that is open and not muted, an open camera. */
  readonly on: boolean;
  /** On, or will be once it has opened. A toggle button inverts this. */
  readonly wanted: boolean;
  /** `getUserMedia` is pending. */
  readonly opening: boolean;
  /** A device is open, muted or not, even while another is being opened. */
  readonly held: boolean;
  /** Muted by the system: a phone call, another program, a switch on the device. */
  readonly interrupted: boolean;
  /** The device in use, or the one chosen for the next time. */
  readonly deviceId: string | null;
  /** Reason of the last failure to open, or, while one is held, to change to another. */
  readonly problem: DeviceProblem | null;
}

/**
 * - `refused`: by the person or by policy;
 * - `dismissed`: the permission prompt was closed without an answer;
 * - `blocked`: the system lets the browser use no such device;
 * - `missing`: no such device;
 * - `in_use`: held by another program;
 * - `asking`: the permission prompt is unanswered;
 * - `unanswered`: permission is granted, but the device does not respond;
 * - `insecure`: the page is not on https or localhost;
 * - `failed`: anything else.
 */
export type DeviceProblem =
  | "refused"
  | "dismissed"
  | "blocked"
  | "missing"
  | "in_use"
  | "asking"
  | "unanswered"
  | "insecure"
  | "failed";

/** Reason of a `RequestError`; later versions add codes. */
export type RequestErrorCode =
  | ErrorCode
  /** No answer in time. */
  | "timeout"
  /** The server could not be reached. */
  | "unreachable"
  /** The join was given up: by `cancelJoin`, by `close` or by a later join. */
  | "cancelled"
  /** The function for the join token threw or rejected: see `cause`. */
  | "no_token"
  /** A host removed this participant, turned it away, or ended the room. */
  | Dismissal;
