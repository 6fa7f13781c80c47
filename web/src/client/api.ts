// What the page sees of the library: everything that changes is a `Readable`, everything that can
// be done is a method here.
import type {
  CreateRoom,
  MediaState,
  ParticipantId,
  RoomName,
  RoomSummary,
  Topology,
  TrackSource,
} from "./protocol.ts";
import type { Statistics } from "./stats/statistics.ts";
import type { Readable } from "./store.ts";
import type { Sight } from "./topology/viewport.ts";

/** The page's one way to moim: made once, by `createClient()`. */
export interface Client {
  /** Whether the server is reached. */
  readonly server: Readable<ServerState>;
  /** The open rooms. */
  readonly lobby: Lobby;
  /** This device's microphone and camera, in the preview as in the call. */
  readonly media: LocalMedia;
  /**
   * Enters a room. The call sends what `media` has on, now and later.
   * Rejects with a `RequestError`: `room_full`, `password_required`, `wrong_password`, ….
   */
  join(request: JoinRequest): Promise<Call>;
}

/** `draining`: the server said that it is going away; calls between peers go on. */
export type ServerState = "connecting" | "online" | "draining" | "offline";

export interface JoinRequest {
  room: RoomName;
  /** The name that the others see. */
  name: string;
  password?: string;
}

/** The live list of rooms. */
export interface Lobby extends Readable<LobbyState> {
  /** Keeps the list live until the returned function is called. */
  open(): () => void;
  /** Makes a room. Rejects with a `RequestError`: `room_exists`, `invalid`, …. */
  create(room: CreateRoom): Promise<RoomSummary>;
}

export interface LobbyState {
  /** The list has arrived at least once. */
  readonly loaded: boolean;
  readonly rooms: readonly RoomSummary[];
}

/** A call that was joined. Its snapshot is what the page draws. */
export interface Call extends Readable<CallState> {
  /** Raises or lowers the hand. */
  setHand(raised: boolean): void;
  /** Says something to everybody here. Nothing is said where only blanks are. */
  say(text: string): void;
  /** What the page shows of the others' pictures; the media server sends no more than that. */
  show(sights: readonly Sight[]): void;
  /** How the links do, measured every two seconds while subscribed. */
  readonly statistics: Readable<Statistics>;
  /** Leaves; the snapshot's status becomes `ended`. Devices stay as they are: `media.stop()`. */
  leave(): void;
}

export interface CallState {
  /** `reconnecting`: the server is out of reach for a while; media between peers goes on. */
  readonly status: "joined" | "reconnecting" | "ended";
  /** Why it ended: nothing wrong where it is null. */
  readonly error: { readonly code: RequestErrorCode; readonly message: string } | null;
  readonly room: RoomSummary;
  readonly topology: Topology;
  /** The others use the media server; this device can't reach it and is linked with each. */
  readonly cutOff: boolean;
  /** Who of the others speaks, or spoke last. */
  readonly speaker: ParticipantId | null;
  /** What was said since one came, the oldest first; bounded in number. */
  readonly chat: readonly ChatMessage[];
  readonly self: Self;
  /** The others, in the order they joined. */
  readonly others: readonly RemoteParticipant[];
}

/** Oneself in a call; its picture is the snapshot of `client.media`. */
export interface Self {
  readonly id: ParticipantId;
  readonly name: string;
  /** Its place among those here whose names look alike, from 2 on; absent for the first. */
  readonly alike?: number;
  readonly media: MediaState;
  readonly speaking: boolean;
  /** How well it is sent and received; null while that is not known. */
  readonly quality: Quality | null;
}

/** From what arrives, as both ends measure it. */
export type Quality = "good" | "fair" | "poor";

export interface ChatMessage {
  /** Unique in the call. */
  readonly key: string;
  readonly from: ParticipantId;
  /** As it was when it was said: who left is still named. */
  readonly name: string;
  /** As for a participant. */
  readonly alike?: number;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `sending` until the server has it. */
  readonly status: "sending" | "sent" | "failed";
}

export interface RemoteParticipant extends Self {
  /** How the link to it does. */
  readonly connection: Connection;
  /** It can't use the media server, and is linked directly in any room. */
  readonly direct: boolean;
  /** The media server receives nothing from it. */
  readonly interrupted?: boolean;
  /** Its voice and camera picture, for a `<video>`; null until the link is there. */
  readonly stream: MediaStream | null;
  /** Its shared screen with sound, likewise; `media.screen` tells whether one is shared. */
  readonly screen: MediaStream | null;
  /**
   * Sources in formats that this browser can't play, of which nothing comes; absent where there are
   * none. On a direct link also sources that the other end rejected: `media` tells which are on.
   */
  readonly unplayable?: readonly TrackSource[];
}

/** `reconnecting` has been connected before, or is being tried again. */
export type Connection = "connecting" | "connected" | "reconnecting" | "failed";

/**
 * This device's microphone, camera and screen. None of its methods throws: see `problem`. Off and
 * `stop` act at once, whatever is still being opened; what opens after that is closed.
 */
export interface LocalMedia extends Readable<LocalMediaState> {
  /**
   * Opens the devices wanted, asking for both in one question. Where one is refused, missing or
   * never answers, the other is opened nevertheless. Asks again for one that does not answer or that
   * the system interrupts.
   */
  start(wanted: { microphone: boolean; camera: boolean }): Promise<void>;
  /** On opens the microphone where it is not open; off mutes it and keeps it open. */
  setMicrophone(on: boolean): Promise<void>;
  /** On opens the camera; off closes it, so that its lamp goes out. */
  setCamera(on: boolean): Promise<void>;
  /**
   * On lets the person choose a screen, a window or a tab, to be called from a click; off ends it.
   * The browser's own button may end it, too.
   */
  setScreen(on: boolean): Promise<void>;
  /** Chooses a device and remembers it on this device. */
  choose(kind: DeviceKind, deviceId: string): Promise<void>;
  /** Closes everything, keeping what is chosen and what is on for the next `start`. */
  stop(): void;
  /** Loudness of the open microphone, 0 to 1, about ten times a second while subscribed. */
  readonly level: Readable<number>;
}

export type DeviceKind = "microphone" | "camera" | "speaker";

export interface Device {
  readonly id: string;
  /** Empty until the browser was given permission. */
  readonly label: string;
}

export interface LocalMediaState {
  readonly microphone: LocalDevice;
  readonly camera: LocalDevice;
  /** The chosen loudspeaker; null is the system's own. */
  readonly speaker: string | null;
  /** The loudspeaker to use now, for `setSinkId`: the chosen one while it is there, else "". */
  readonly sink: string;
  readonly devices: Readonly<Record<DeviceKind, readonly Device[]>>;
  /** The camera's picture for a muted `<video>`; null while the camera is off. */
  readonly picture: MediaStream | null;
  readonly screen: LocalScreen;
}

export interface LocalScreen {
  /** It is shared. */
  readonly on: boolean;
  /** The person is being asked. */
  readonly opening: boolean;
  /** Why it could not be shared, until it could; null also where the person decided against it. */
  readonly problem: DeviceProblem | null;
  /** What is shared, for a muted `<video>`. */
  readonly picture: MediaStream | null;
}

export interface LocalDevice {
  /** What the others get: for the microphone, open and not muted. */
  readonly on: boolean;
  /** On, or going to be once it has opened: a switch turns this round. */
  readonly wanted: boolean;
  /** The browser is being asked. */
  readonly opening: boolean;
  /** A device is open, muted or not, also while another is being asked for. */
  readonly held: boolean;
  /** The system keeps it silent or black: a phone call, another program, a switch on the device. */
  readonly interrupted: boolean;
  /** The device in use, or the one chosen for the next time. */
  readonly deviceId: string | null;
  /** Why it could not be opened, until it could; while one is held, why another could not be. */
  readonly problem: DeviceProblem | null;
}

/**
 * - `refused`: by the person or by policy;
 * - `missing`: there is no such device;
 * - `in_use`: another program holds it;
 * - `asking`: the person has not answered the browser yet;
 * - `unanswered`: the device has not, though it is allowed;
 * - `insecure`: the page is not on https or localhost;
 * - `failed`: anything else.
 */
export type DeviceProblem =
  | "refused"
  | "missing"
  | "in_use"
  | "asking"
  | "unanswered"
  | "insecure"
  | "failed";

export type RequestErrorCode =
  | import("./protocol.ts").ErrorCode
  /** No answer in time. */
  | "timeout"
  /** The server could not be reached. */
  | "unreachable";
