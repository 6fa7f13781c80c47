// Written by `cargo xtask types` from crates/room/src/protocol. Do not edit.

/** What acknowledges a request. */
export type Reply<T> = { ok: T } | { error: ErrorBody };

/** Each request's payload and the payload of its reply. */
export interface Requests {
  "room:list": [ListRooms, RoomList];
  "room:create": [CreateRoom, RoomCreated];
  "room:join": [JoinRoom, Joined];
  "room:leave": [LeaveRoom, Record<string, never>];
  signal: [SignalRequest, Record<string, never>];
  media: [MediaState, Record<string, never>];
  chat: [ChatRequest, Record<string, never>];
  direct: [DirectRequest, Record<string, never>];
  publish: [PublishRequest, Record<string, never>];
  subscribe: [SubscribeRequest, Record<string, never>];
  handover: [HandoverRequest, Record<string, never>];
}

/** Each event's payload. Events of a room carry their number as a second argument. */
export interface ServerEvents {
  "room:list": RoomList;
  "participant:joined": Participant;
  "participant:updated": Participant;
  "participant:left": ParticipantLeft;
  signal: SignalEvent;
  topology: TopologyChanged;
  chat: ChatEvent;
  handover: HandoverEvent;
  subscribed: SubscribedEvent;
  wanted: WantedEvent;
  refused: RefusedEvent;
  speakers: SpeakersEvent;
  "ice:servers": IceServers;
  "server:draining": ServerDraining;
}

export type RoomName = string;

export type DisplayName = string;

export type Password = string;

export type ChatText = string;

export type ParticipantId = string;

export type ResumeToken = string;

export type MediaState = {
/**
 * The microphone is on.
 */
mic: boolean,
/**
 * The camera is on.
 */
camera: boolean,
/**
 * A screen is shared.
 */
screen: boolean,
/**
 * The hand is raised.
 */
hand: boolean,
/**
 * On, but muted by the participant's system for a while; absent where nothing is.
 */
interrupted?: Interrupted, };

export type Interrupted = {
/**
 * The microphone is silent.
 */
mic: boolean,
/**
 * The camera is black or frozen.
 */
camera: boolean, };

export type Participant = {
/**
 * Unique in the room.
 */
id: ParticipantId,
/**
 * As typed by the participant; not unique.
 */
name: DisplayName,
/**
 * What it sends.
 */
media: MediaState,
/**
 * It cannot, or will not, use the media server: others connect to it peer to peer, whatever
 * the topology.
 */
direct: boolean,
/**
 * Its name looks like that of another participant who came earlier: its place among them,
 * from 2 on. It stays for as long as the participant does.
 */
alike?: number,
/**
 * The media server has received nothing from it for some seconds.
 */
interrupted?: boolean, };

export type Topology = "mesh" | "sfu";

export type TopologyChoice = "auto" | "mesh" | "sfu";

export type TrackSource = "microphone" | "camera" | "screen" | "screen_audio";

export type PublishedTrack = {
/**
 * The media section's `mid`.
 */
mid: string,
/**
 * What is sent on it.
 */
source: TrackSource, };

export type WantedTrack = {
/**
 * Whose track.
 */
participant: ParticipantId,
/**
 * Which of theirs.
 */
source: TrackSource,
/**
 * How wide it is shown, in device pixels; 0 where it is not.
 */
width: number,
/**
 * How high it is shown, in device pixels; 0 where it is not.
 */
height: number, };

export type SubscribedTrack = {
/**
 * The media section's `mid`.
 */
mid: string,
/**
 * Whose track is on it.
 */
participant: ParticipantId,
/**
 * Which of theirs.
 */
source: TrackSource,
/**
 * Why nothing of it comes, if that is so.
 */
unavailable?: Unavailable, };

export type Unavailable = "codec";

export type Speaker = {
/**
 * Who.
 */
participant: ParticipantId,
/**
 * How loud: decibels above silence, 0 to 127 (127 less the level of RFC 6464).
 */
level: number, };

export type RoomSummary = {
/**
 * The room's name and address.
 */
name: RoomName,
/**
 * How many are in it, those reconnecting included.
 */
participants: number,
/**
 * How many it holds.
 */
capacity: number,
/**
 * Joining takes a password.
 */
locked: boolean,
/**
 * Whose clients meet there, if it is not the native protocol's; it can't be joined then, and
 * may bear the name of a room that can.
 */
dialect?: string, };

export type IceServer = {
/**
 * `stun:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065).
 */
urls: Array<string>,
/**
 * TURN username: `expiry:participant`.
 */
username?: string,
/**
 * TURN password: base64 of the HMAC of the username.
 */
credential?: string, };

export type IceServers = {
/**
 * For `RTCConfiguration.iceServers`.
 */
iceServers: Array<IceServer>, };

export type SdpType = "offer" | "answer" | "pranswer";

export type SessionDescription = {
/**
 * Offer or answer.
 */
type: SdpType,
/**
 * The SDP, which the server relays unread between participants.
 */
sdp: string, };

export type IceCandidate = {
/**
 * The candidate attribute; empty at the end of candidates.
 */
candidate: string,
/**
 * The media section's `mid`.
 */
sdpMid?: string,
/**
 * The media section's index.
 */
sdpMLineIndex?: number,
/**
 * The ICE user name fragment the candidate belongs to.
 */
usernameFragment?: string, };

export type ListRooms = Record<symbol, never>;

export type CreateRoom = {
/**
 * Its name and address.
 */
name: RoomName,
/**
 * How many it holds; the server's default otherwise.
 */
capacity?: number,
/**
 * What joining takes.
 */
password?: Password,
/**
 * Forces how media travels; the server's default otherwise.
 */
topology?: TopologyChoice, };

export type JoinRoom = {
/**
 * The room to enter.
 */
room: RoomName,
/**
 * What the others will see.
 */
name: DisplayName,
/**
 * If the room takes one.
 */
password?: Password,
/**
 * What the participant starts with; all off otherwise.
 */
media?: MediaState,
/**
 * It can use the media server; others connect to it peer to peer otherwise.
 */
sfu?: boolean,
/**
 * The token of an earlier join, by a page that is no more: its participant leaves, and this
 * one takes its place, in a full room and without the password, too.
 */
replaces?: ResumeToken,
/**
 * The token of the join to restore.
 */
resume?: ResumeToken,
/**
 * The number of the last room event seen, so that none is missed on resuming.
 */
last?: number, };

export type LeaveRoom = Record<symbol, never>;

export type SignalRequest = {
/**
 * Who is to get it; `sfu` is the media server.
 */
to: ParticipantId,
/**
 * An offer or answer.
 */
description?: SessionDescription,
/**
 * An ICE candidate.
 */
candidate?: IceCandidate, };

export type ChatRequest = {
/**
 * What.
 */
text: ChatText,
/**
 * Which of one's messages it is, rising: one whose number is not above the last one's came
 * before and is not told again. So it can be sent again where its answer was lost.
 */
serial?: number, };

export type DirectRequest = {
/**
 * They are.
 */
direct: boolean, };

export type PublishRequest = {
/**
 * Each section and each source once.
 */
tracks: Array<PublishedTrack>, };

export type SubscribeRequest = {
/**
 * Each track once. Of others, audio is sent in any case, and video as small as it comes.
 */
tracks: Array<WantedTrack>, };

export type HandoverRequest = {
/**
 * Who is received.
 */
to: ParticipantId,
/**
 * By what.
 */
topology: Topology, };

export type RoomList = {
/**
 * The fullest rooms first, bounded in number.
 */
rooms: Array<RoomSummary>, };

export type RoomCreated = {
/**
 * The room as made.
 */
room: RoomSummary, };

export type Joined = {
/**
 * The participant that joined.
 */
self: Participant,
/**
 * The room joined.
 */
room: RoomSummary,
/**
 * The others, in the order they joined.
 */
participants: Array<Participant>,
/**
 * How media travels just now.
 */
topology: Topology,
/**
 * For `RTCConfiguration.iceServers`.
 */
iceServers: Array<IceServer>,
/**
 * Restores this participant within [`resume_seconds`](Self::resume_seconds).
 */
resume: ResumeToken,
/**
 * How long a dropped participant is kept, in seconds.
 */
resumeSeconds: number,
/**
 * An earlier participant was restored; events it missed follow this answer.
 */
resumed: boolean,
/**
 * The number of the newest room event before this join (on resuming: the `last` asked for).
 */
last: number, };

export type ParticipantLeft = {
/**
 * Who left.
 */
id: ParticipantId, };

export type SignalEvent = {
/**
 * Who sent it; written by the server. `sfu` is the media server.
 */
from: ParticipantId,
/**
 * An offer or answer.
 */
description?: SessionDescription,
/**
 * An ICE candidate.
 */
candidate?: IceCandidate, };

export type TopologyChanged = {
/**
 * The topology from now on.
 */
topology: Topology, };

export type ChatEvent = {
/**
 * Who wrote it; written by the server.
 */
from: ParticipantId,
/**
 * What.
 */
text: ChatText,
/**
 * When it reached the server, in milliseconds since 1970 (UTC).
 */
at: number, };

export type HandoverEvent = {
/**
 * Who says so; written by the server.
 */
from: ParticipantId,
/**
 * By what it receives this participant.
 */
topology: Topology, };

export type SubscribedEvent = {
/**
 * All sections in use. A section may carry somebody else later.
 */
tracks: Array<SubscribedTrack>, };

export type WantedEvent = {
/**
 * Which of this participant's videos.
 */
source: TrackSource,
/**
 * It is shown anywhere at all.
 */
shown: boolean,
/**
 * The wanted encodings of a simulcast, the smallest first; of one without, none.
 */
rids: Array<string>, };

export type ToldSfu = "offer" | "answer" | "publish" | "subscribe";

export type RefusedEvent = {
/**
 * What was refused.
 */
what: ToldSfu,
/**
 * Why.
 */
error: ErrorBody, };

export type SpeakersEvent = {
/**
 * The loudest first.
 */
speakers: Array<Speaker>, };

export type ServerDraining = Record<symbol, never>;

export type ErrorCode = "invalid" | "unknown_event" | "too_large" | "rate_limited" | "room_exists" | "room_full" | "password_required" | "wrong_password" | "already_joined" | "not_joined" | "no_such_participant" | "no_sfu" | "resume_expired" | "server_full" | "internal";

export type NameError = "empty" | "too_long" | "control" | "direction" | "invisible" | "unassigned" | "marks" | "dots";

export type ErrorBody = {
/**
 * For programs.
 */
code: ErrorCode,
/**
 * For people, in English.
 */
message: string,
/**
 * Why a name of a person or room was `invalid`.
 */
name?: NameError, };
