// Written by `cargo xtask types` from crates/room/src/protocol. Do not edit.

/** Acknowledgement of a request. */
export type Reply<T> = { ok: T } | { error: ErrorBody };

/** Payload of each request and of its reply. */
export interface Requests {
  "room:list": [ListRooms, RoomList];
  "room:create": [CreateRoom, RoomCreated];
  "room:check": [CheckRoom, RoomChecked];
  "room:join": [JoinRoom, Joined];
  "room:leave": [LeaveRoom, Record<string, never>];
  signal: [SignalRequest, Record<string, never>];
  media: [MediaState, Record<string, never>];
  chat: [ChatRequest, Record<string, never>];
  "file:signal": [FileSignalRequest, Record<string, never>];
  "file:withdraw": [FileWithdrawRequest, Record<string, never>];
  direct: [DirectRequest, Record<string, never>];
  publish: [PublishRequest, Record<string, never>];
  subscribe: [SubscribeRequest, Record<string, never>];
  handover: [HandoverRequest, Record<string, never>];
  reaction: [ReactionRequest, Record<string, never>];
  report: [ReportRequest, Record<string, never>];
  "poll:ask": [AskPoll, Record<string, never>];
  "poll:vote": [VoteRequest, Record<string, never>];
  "poll:close": [ClosePoll, Record<string, never>];
  "poll:remove": [RemovePoll, Record<string, never>];
  "room:mute": [MuteRequest, Record<string, never>];
  "room:unmute": [UnmuteRequest, Record<string, never>];
  "room:lower_hands": [LowerHandsRequest, Record<string, never>];
  "room:remove": [RemoveRequest, Record<string, never>];
  "room:admit": [WaitingRequest, Record<string, never>];
  "room:deny": [WaitingRequest, Record<string, never>];
  "room:role": [RoleRequest, Record<string, never>];
  "room:settings": [SettingsRequest, Record<string, never>];
  "room:spotlight": [SpotlightRequest, Record<string, never>];
  "room:end": [EndRoom, Record<string, never>];
  "room:invite": [InviteRequest, Invited];
  "room:revoke": [RevokeRequest, Record<string, never>];
  "room:invitations": [ListInvitations, InvitationList];
}

/** Payload of each event. Room events carry their number as a second argument. */
export interface ServerEvents {
  "room:list": RoomList;
  "participant:joined": Participant;
  "participant:updated": Participant;
  "participant:left": ParticipantLeft;
  signal: SignalEvent;
  topology: TopologyChanged;
  chat: ChatEvent;
  "file:signal": FileSignalEvent;
  "file:withdrawn": FileWithdrawnEvent;
  handover: HandoverEvent;
  subscribed: SubscribedEvent;
  wanted: WantedEvent;
  refused: RefusedEvent;
  speakers: SpeakersEvent;
  muted: MutedEvent;
  unmute: UnmuteEvent;
  hand_lowered: HandLoweredEvent;
  spotlight: SpotlightEvent;
  reaction: ReactionEvent;
  poll: Poll;
  "poll:removed": PollRemoved;
  "room:settings": SettingsEvent;
  "room:admitted": Joined;
  "room:dismissed": DismissedEvent;
  "waiting:joined": Waiting;
  "waiting:left": WaitingLeft;
  data: DataEvent;
  "ice:servers": IceServers;
  "server:draining": ServerDraining;
  "server:restarting": ServerRestarting;
}

/**
 * A room's name, also its address: `/r/NAME`.
 */
export type RoomName = string;

/**
 * A participant's display name. Not unique.
 */
export type DisplayName = string;

/**
 * A room's password. An empty password counts as none.
 */
export type Password = string;

/**
 * Text of a message: one or more lines of plain text, never markup.
 */
export type ChatText = string;

/**
 * A random secret that a client keeps and sends with each join, so that a host comes back as host
 * and a removed participant stays removed.
 */
export type DeviceSecret = string;

/**
 * A join token, or the key of an invitation: unverified.
 */
export type Credential = string;

/**
 * One emoji. The room checks its shape only: short, visible and not plain text.
 */
export type Reaction = string;

/**
 * A question or an option: one line of plain text, never markup.
 */
export type PollText = string;

/**
 * A random id that the sender of a file makes. The sender gives the file to whoever names it, so
 * only those who were offered the file know it.
 */
export type FileId = string;

/**
 * A file's name, without a folder.
 */
export type FileName = string;

/**
 * A file's size in bytes, at most 2 GB.
 */
export type FileSize = number;

/**
 * A named set of rights, from few to many.
 */
export type Role = "viewer" | "speaker" | "co_host" | "host";

/**
 * Rules of a room with hosts. They bind everybody but hosts and co-hosts.
 */
export type Policy = {
/**
 * Whether newcomers enter.
 */
entry: Entry,
/**
 * Participants that may chat.
 */
chat: Allowed,
/**
 * Participants that may share a screen.
 */
screen: Allowed,
/**
 * Role of newcomers.
 */
newcomers: Role,
/**
 * Participants that may send private messages to anybody. Those who may chat can always write
 * to hosts and co-hosts. Everybody if absent, as from earlier clients.
 */
private?: Allowed,
/**
 * Participants that may offer files. Everybody if absent.
 */
files?: Allowed, };

/**
 * A change of a `Policy`. Absent rules stay, so that two hosts who change different ones at once
 * don't undo each other's change.
 */
export type PolicyChange = {
/**
 * Whether newcomers enter.
 */
entry?: Entry,
/**
 * Participants that may chat.
 */
chat?: Allowed,
/**
 * Participants that may share a screen.
 */
screen?: Allowed,
/**
 * Role of newcomers.
 */
newcomers?: Role,
/**
 * Participants that may send private messages to anybody.
 */
private?: Allowed,
/**
 * Participants that may offer files.
 */
files?: Allowed, };

/**
 * Whether newcomers enter a room.
 */
export type Entry = "open" | "waiting" | "locked";

/**
 * Participants that may do something.
 */
export type Allowed = "everybody" | "hosts";

/**
 * Identifies a participant while it is in its room, across reconnects.
 */
export type ParticipantId = string;

/**
 * Identifies an invitation in its room. Nobody enters with it.
 */
export type InvitationId = string;

/**
 * Restores a participant after its socket dropped.
 */
export type ResumeToken = string;

/**
 * Media that a participant sends, and its raised hand.
 */
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
 * Sources that are on but muted by the operating system; absent if none.
 */
interrupted?: Interrupted, };

/**
 * Sources muted by the operating system: by a phone call, another program, or a hardware switch.
 */
export type Interrupted = {
/**
 * The microphone is silent.
 */
mic: boolean,
/**
 * The camera is black or frozen.
 */
camera: boolean, };

/**
 * A participant, as the others see it.
 */
export type Participant = {
/**
 * Unique in the room.
 */
id: ParticipantId,
/**
 * Display name; not unique.
 */
name: DisplayName,
/**
 * Media state.
 */
media: MediaState,
/**
 * The participant does not use the media server: others connect to it peer to peer, whatever
 * the topology.
 */
direct: boolean,
/**
 * Number among participants with confusable names, from 2 on; absent for the first. Constant
 * until the participant leaves.
 */
alike?: number,
/**
 * The media server has received no media from it for some seconds.
 */
interrupted?: boolean,
/**
 * Role; absent in a room without hosts.
 */
role?: Role,
/**
 * Sources muted by a host, until the participant turns them on again; absent if none. Nobody
 * is to play them, whatever arrives.
 */
muted?: Array<TrackSource>,
/**
 * Sources that its token withholds, whatever its role; absent if none. Nobody is to play them,
 * whatever arrives.
 */
withheld?: Array<TrackSource>,
/**
 * It receives no media: its token or the server's operator withholds the right. Nobody need
 * send it any.
 */
unsubscribed?: boolean,
/**
 * Ascending in the order in which hands were raised; absent if the hand is down.
 */
raised?: number, };

/**
 * Topology of a room.
 */
export type Topology = "mesh" | "sfu";

/**
 * Topology setting of a room.
 */
export type TopologyChoice = "auto" | "mesh" | "sfu";

/**
 * Source of a track; a participant has at most one track per source.
 */
export type TrackSource = "microphone" | "camera" | "screen" | "screen_audio";

/**
 * A sending section of the link to the media server.
 */
export type PublishedTrack = {
/**
 * The media section's `mid`.
 */
mid: string,
/**
 * Source of its track.
 */
source: TrackSource, };

/**
 * Display size of a track.
 */
export type WantedTrack = {
/**
 * The publisher.
 */
participant: ParticipantId,
/**
 * The track's source.
 */
source: TrackSource,
/**
 * Displayed width in device pixels; 0 if hidden.
 */
width: number,
/**
 * Displayed height in device pixels; 0 if hidden.
 */
height: number, };

/**
 * A receiving section of the link to the media server.
 */
export type SubscribedTrack = {
/**
 * The media section's `mid`.
 */
mid: string,
/**
 * The publisher of its track.
 */
participant: ParticipantId,
/**
 * The track's source.
 */
source: TrackSource,
/**
 * Reason for which no media is received, if so.
 */
unavailable?: Unavailable, };

/**
 * Reason for which no media of a track is received.
 */
export type Unavailable = "codec";

/**
 * An active speaker.
 */
export type Speaker = {
/**
 * The participant.
 */
participant: ParticipantId,
/**
 * Audio level in decibels above silence, 0 to 127 (127 minus the level of RFC 6464).
 */
level: number, };

/**
 * One row of the room list.
 */
export type RoomSummary = {
/**
 * The room's name and address.
 */
name: RoomName,
/**
 * Number of participants, including reconnecting ones.
 */
participants: number,
/**
 * Maximum number of participants.
 */
capacity: number,
/**
 * Joining requires a password.
 */
locked: boolean,
/**
 * Dialect of its clients, if not the native protocol. Such a room can't be joined natively and
 * may share its name with a native room.
 */
dialect?: string,
/**
 * The room is not in the public list.
 */
unlisted?: boolean, };

/**
 * The `RTCIceServer` dictionary (W3C WebRTC §4.2.4).
 */
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

/**
 * STUN and TURN servers of this server, with a temporary credential.
 */
export type IceServers = {
/**
 * For `RTCConfiguration.iceServers`.
 */
iceServers: Array<IceServer>, };

/**
 * Types of signaled descriptions.
 */
export type SdpType = "offer" | "answer" | "pranswer";

/**
 * `RTCSessionDescriptionInit` without the types that are never signaled.
 */
export type SessionDescription = {
/**
 * Offer or answer.
 */
type: SdpType,
/**
 * The SDP, which the server relays unread between participants.
 */
sdp: string, };

/**
 * `RTCIceCandidateInit`, as returned by `RTCIceCandidate.toJSON()`.
 */
export type IceCandidate = {
/**
 * The candidate attribute; empty for end-of-candidates.
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
 * The ICE username fragment of the candidate.
 */
usernameFragment?: string, };

/**
 * `room:list`: lists the rooms and subscribes the socket to changes.
 */
export type ListRooms = {
/**
 * Token that permits it, on a server that does not list its rooms to everybody.
 */
token?: Credential, };

/**
 * `room:create`: creates a room, which stays open for a while even if empty.
 */
export type CreateRoom = {
/**
 * The room's name and address.
 */
name: RoomName,
/**
 * Maximum number of participants; the server's default if absent.
 */
capacity?: number,
/**
 * Password required to join.
 */
password?: Password,
/**
 * Topology; the server's default if absent.
 */
topology?: TopologyChoice,
/**
 * Secret of the device, which joins as host. Without it, the socket that created the room
 * does.
 */
device?: DeviceSecret,
/**
 * Initial rules; everything allowed if absent.
 */
policy?: Policy,
/**
 * Token that permits it, on a server where not everybody may create rooms.
 */
token?: Credential,
/**
 * The room is in the public list; so it is if absent.
 */
listed?: boolean,
/**
 * Name of one of the server's templates, for what is absent.
 */
template?: string, };

/**
 * `room:check`: asks whether joining a room needs its password, without trying to.
 */
export type CheckRoom = {
/**
 * The room, which need not be listed or exist.
 */
room: RoomName, };

/**
 * `room:join`: joins a room, which is created if needed, or restores a participant whose socket
 * dropped.
 */
export type JoinRoom = {
/**
 * The room to join.
 */
room: RoomName,
/**
 * Display name.
 */
name: DisplayName,
/**
 * Password of a locked room.
 */
password?: Password,
/**
 * Initial media state; all off if absent.
 */
media?: MediaState,
/**
 * The client can use the media server; otherwise others connect to it peer to peer.
 */
sfu?: boolean,
/**
 * Token of an earlier join by a closed page. Its participant leaves and this one takes its
 * place, even in a full room and without the password.
 */
replaces?: ResumeToken,
/**
 * Random secret that the client keeps, by which a host returns as host after its resume
 * expired.
 */
device?: DeviceSecret,
/**
 * Join token: who this is and what it may do. It stands in for the password.
 */
token?: Credential,
/**
 * Key of an invitation, from its link. It stands in for the password.
 */
invitation?: Credential,
/**
 * Token of the join to restore.
 */
resume?: ResumeToken,
/**
 * Number of the last received room event, so that none is missed on resuming.
 */
last?: number,
/**
 * If this join opens the room: it is in the public list; so it is if absent.
 */
listed?: boolean, };

/**
 * `room:leave`: leaves the room for good.
 */
export type LeaveRoom = Record<symbol, never>;

/**
 * `signal`: a description or a candidate for another participant or the media server.
 */
export type SignalRequest = {
/**
 * The recipient; `sfu` is the media server.
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

/**
 * A file that the sender of a chat message offers.
 */
export type SharedFile = {
/**
 * Random id, which the recipients name to receive the file.
 */
id: FileId,
/**
 * Name, without a folder.
 */
name: FileName,
/**
 * Size in bytes.
 */
size: FileSize, };

/**
 * `chat`: sends a chat message to all others in the room, or privately to one of them.
 */
export type ChatRequest = {
/**
 * The text.
 */
text: ChatText,
/**
 * The only recipient of a private message; all others if absent.
 */
to?: ParticipantId,
/**
 * Ascending serial number of the sender's messages. A message whose number is not above the
 * previous one is a repetition and not sent again, so a client may retry after a lost reply.
 */
serial?: number,
/**
 * A file that is offered. The text is for clients that know nothing of files: its name.
 */
file?: SharedFile, };

/**
 * A message about a transfer, beside its descriptions and candidates.
 */
export type FileState = "waiting" | "unavailable" | "refused" | "cancelled";

/**
 * `file:signal`: relays a message about a transfer between the sender of a file and a recipient.
 * It has exactly one of `description`, `candidate` and `state`.
 */
export type FileSignalRequest = {
/**
 * The other end.
 */
to: ParticipantId,
/**
 * The file.
 */
file: FileId,
/**
 * Number of the attempt, counted by the recipient.
 */
attempt: number,
/**
 * An offer or answer.
 */
description?: SessionDescription,
/**
 * An ICE candidate.
 */
candidate?: IceCandidate,
/**
 * A state.
 */
state?: FileState, };

/**
 * `file:withdraw`: takes back the offer of a file.
 */
export type FileWithdrawRequest = {
/**
 * The only recipient of a private offer; all others if absent.
 */
to?: ParticipantId,
/**
 * The file.
 */
file: FileId, };

/**
 * `direct`: sets whether the others connect to this participant peer to peer, because it can't use
 * the media server.
 */
export type DirectRequest = {
/**
 * The others connect peer to peer.
 */
direct: boolean, };

/**
 * `publish`: sources of the sending sections of the next offer to the media server. Replaces
 * earlier requests.
 */
export type PublishRequest = {
/**
 * Sending sections; each `mid` and each source at most once.
 */
tracks: Array<PublishedTrack>, };

/**
 * `subscribe`: display sizes of tracks. Replaces earlier requests.
 */
export type SubscribeRequest = {
/**
 * Each track at most once. Of tracks not listed, audio is sent in full and video in its lowest
 * encoding.
 */
tracks: Array<WantedTrack>, };

/**
 * `handover`: this participant receives another one's media by this topology, so that the other
 * may stop sending by the other topology.
 */
export type HandoverRequest = {
/**
 * The participant whose media is received.
 */
to: ParticipantId,
/**
 * The topology.
 */
topology: Topology, };

/**
 * `reaction`: shows an emoji to all others for a moment.
 */
export type ReactionRequest = {
/**
 * The emoji.
 */
emoji: Reaction, };

/**
 * A transport, as seen by the page.
 */
export type ReportedTransport = "udp" | "tcp" | "relay_udp" | "relay_tcp";

/**
 * The reason for which a browser encodes less than it could.
 */
export type ReportedLimit = "none" | "cpu" | "bandwidth" | "other";

/**
 * `report`: what a page has measured since its last report, every ten seconds. More than one in
 * five seconds is ignored. Numbers that the browser doesn't tell are absent.
 */
export type ReportRequest = {
/**
 * The worst transport of its links, if there is one.
 */
transport?: ReportedTransport,
/**
 * Longest round-trip time of its links, milliseconds.
 */
roundTrip?: number,
/**
 * Jitter of what it receives, milliseconds.
 */
jitter?: number,
/**
 * Loss of what it sends, thousandths.
 */
lossUp?: number,
/**
 * Loss of what it receives, thousandths.
 */
lossDown?: number,
/**
 * Kilobits per second that it sends.
 */
kbpsUp?: number,
/**
 * Kilobits per second that it receives.
 */
kbpsDown?: number,
/**
 * Frames per second that it encodes, of its largest picture.
 */
framesUp?: number,
/**
 * Frames per second that it decodes, of all pictures.
 */
framesDown?: number,
/**
 * The encoder's `qualityLimitationReason`.
 */
limit?: ReportedLimit,
/**
 * Concealed share of the sound that it played, thousandths.
 */
concealed?: number,
/**
 * Share of the time by which its timers were late, thousandths; absent if it was hidden, when
 * browsers delay them.
 */
late?: number,
/**
 * Freezes of all pictures.
 */
freezes: number,
/**
 * Participants whose picture it receives.
 */
seen: Array<ParticipantId>,
/**
 * Those whose picture stood still for a second or more.
 */
still: Array<ParticipantId>, };

/**
 * `room:mute`: mutes sources of others. They are no longer forwarded until the participant turns
 * them on again. Requires the right to mute and at least the other's role.
 */
export type MuteRequest = {
/**
 * The participants; absent: all others with a lower role.
 */
participants?: Array<ParticipantId>,
/**
 * The sources to mute.
 */
sources: Array<TrackSource>, };

/**
 * `room:unmute`: asks a participant to turn sources on. It may decline.
 */
export type UnmuteRequest = {
/**
 * The participant.
 */
participant: ParticipantId,
/**
 * The sources.
 */
sources: Array<TrackSource>, };

/**
 * `room:lower_hands`: lowers raised hands of others. A hand stays down until its client has lowered
 * and raised it again. Requires the right to mute and at least the other's role.
 */
export type LowerHandsRequest = {
/**
 * The participants; absent: all others with no higher role.
 */
participants?: Array<ParticipantId>, };

/**
 * `room:remove`: removes a participant with a lower role. Its device can't join again while the
 * room lives.
 */
export type RemoveRequest = {
/**
 * The participant.
 */
participant: ParticipantId, };

/**
 * `room:admit` and `room:deny`: lets in from the waiting room, or turns away.
 */
export type WaitingRequest = {
/**
 * Ids from `waiting`; absent: all.
 */
participants?: Array<ParticipantId>, };

/**
 * `room:role`: gives a participant another role, at most one's own. A host steps down by giving
 * itself a lower one.
 */
export type RoleRequest = {
/**
 * The participant.
 */
participant: ParticipantId,
/**
 * The new role.
 */
role: Role, };

/**
 * `room:settings`: changes settings of the room. Absent ones stay.
 */
export type SettingsRequest = {
/**
 * The rules to change.
 */
policy?: PolicyChange,
/**
 * The new password; an empty one removes it.
 */
password?: Password,
/**
 * The new maximum number of participants. Nobody is removed by a lower one.
 */
capacity?: number,
/**
 * The room is in the public list.
 */
listed?: boolean, };

/**
 * `room:spotlight`: shows participants large to everybody. Requires the right to mute.
 */
export type SpotlightRequest = {
/**
 * The participants; empty ends the spotlight.
 */
participants: Array<ParticipantId>, };

/**
 * `room:end`: removes everybody and closes the room.
 */
export type EndRoom = Record<symbol, never>;

/**
 * `poll:ask`: opens a poll. Requires the right to poll.
 */
export type AskPoll = {
/**
 * The question.
 */
question: PollText,
/**
 * 2 to 10 different options.
 */
options: Array<PollText>,
/**
 * More than one option may be chosen.
 */
multiple?: boolean,
/**
 * All see by name who chose what.
 */
named?: boolean, };

/**
 * `poll:vote`: chooses options of an open poll, in place of those chosen before.
 */
export type VoteRequest = {
/**
 * The poll.
 */
poll: PollId,
/**
 * Positions of the options, from 0; empty withdraws the vote.
 */
options: Array<number>, };

/**
 * `poll:close`: ends the voting. The result stays. Requires the right to poll.
 */
export type ClosePoll = {
/**
 * The poll.
 */
poll: PollId, };

/**
 * `poll:remove`: removes a poll with its result. Requires the right to poll.
 */
export type RemovePoll = {
/**
 * The poll.
 */
poll: PollId, };

/**
 * Identifies a poll in its room.
 */
export type PollId = number;

/**
 * An option of a poll.
 */
export type PollOption = {
/**
 * The text.
 */
text: PollText,
/**
 * Number of votes.
 */
votes: number,
/**
 * Names of those who chose it, in a poll by name; absent if none.
 */
names?: Array<DisplayName>, };

/**
 * A poll and its result so far. Also the payload of the event `poll`: it was opened or closed, or
 * somebody has voted.
 */
export type Poll = {
/**
 * Identifies it in its room, ascending.
 */
id: PollId,
/**
 * The question.
 */
question: PollText,
/**
 * The options, in the order of the request.
 */
options: Array<PollOption>,
/**
 * More than one option may be chosen.
 */
multiple: boolean,
/**
 * All see by name who chose what.
 */
named: boolean,
/**
 * The voting has ended.
 */
closed: boolean,
/**
 * Number of those who have voted.
 */
voters: number,
/**
 * Name of the participant who asked.
 */
by: DisplayName,
/**
 * Time at which it was opened, in milliseconds since 1970 (UTC).
 */
at: number,
/**
 * The recipient's own vote, in the reply to a join alone; absent if none.
 */
mine?: Array<number>, };

/**
 * Payload of `poll:removed`.
 */
export type PollRemoved = {
/**
 * The poll.
 */
poll: PollId, };

/**
 * `room:invite`: makes an invitation. Requires the right to admit, and for co-hosts that to change
 * roles.
 */
export type InviteRequest = {
/**
 * Role of those who enter with it, below `host`.
 */
role: Role,
/**
 * Number of people who may enter with it; absent: any number.
 */
uses?: number,
/**
 * Time until it expires, in seconds; absent: it ends with the room.
 */
seconds?: number, };

/**
 * `room:revoke`: withdraws an invitation. Those who have entered with it stay.
 */
export type RevokeRequest = {
/**
 * The invitation.
 */
invitation: InvitationId, };

/**
 * `room:invitations`: lists the invitations of the room.
 */
export type ListInvitations = Record<symbol, never>;

/**
 * An invitation, without its key.
 */
export type Invitation = {
/**
 * Identifies it in its room.
 */
id: InvitationId,
/**
 * Role of those who enter with it.
 */
role: Role,
/**
 * Number of people who may enter with it; absent: any number.
 */
uses?: number,
/**
 * Number of people who have entered with it.
 */
used: number,
/**
 * Time at which it expires, in milliseconds since 1970 (UTC); absent: with the room.
 */
expires?: number,
/**
 * Time at which it was made, in milliseconds since 1970 (UTC).
 */
created: number,
/**
 * Name of the host who made it; absent: the server's operator.
 */
by?: DisplayName, };

/**
 * Reply to `room:invite`. Only here does the server tell the key.
 */
export type Invited = {
/**
 * The invitation.
 */
invitation: Invitation,
/**
 * Its key, for the fragment of a link: `/r/ROOM#k=KEY`.
 */
key: Credential, };

/**
 * Reply to `room:invitations`.
 */
export type InvitationList = {
/**
 * Those that are neither revoked nor expired, the oldest first.
 */
invitations: Array<Invitation>, };

/**
 * Reply to `room:list`; also sent as event `room:list` on change.
 */
export type RoomList = {
/**
 * Rooms with the most participants first, bounded in number.
 */
rooms: Array<RoomSummary>,
/**
 * Names of the server's templates for `room:create`, in the reply alone; absent without any.
 */
templates?: Array<string>, };

/**
 * Reply to `room:create`.
 */
export type RoomCreated = {
/**
 * The created room.
 */
room: RoomSummary, };

/**
 * Reply to `room:check`.
 */
export type RoomChecked = {
/**
 * A join without the password would be rejected as `password_required`. False also for a room
 * that does not exist.
 */
locked: boolean, };

/**
 * Reply to `room:join`.
 */
export type Joined = {
/**
 * The participant itself.
 */
self: Participant,
/**
 * The room.
 */
room: RoomSummary,
/**
 * The other participants, in the order they joined.
 */
participants: Array<Participant>,
/**
 * The current topology.
 */
topology: Topology,
/**
 * Rules; absent in a room without hosts.
 */
policy?: Policy,
/**
 * The waiting room, for those who may admit.
 */
waiting?: Array<Waiting>,
/**
 * Participants in the spotlight; absent if none.
 */
spotlight?: Array<ParticipantId>,
/**
 * Text of the application that embeds the room; absent if empty.
 */
metadata?: string,
/**
 * The last messages of the room's chat; absent if none, and on resuming.
 */
chat?: Array<ChatMessage>,
/**
 * Polls of the room, the oldest first; absent if none.
 */
polls?: Array<Poll>,
/**
 * For `RTCConfiguration.iceServers`.
 */
iceServers: Array<IceServer>,
/**
 * Token that restores this participant within `resume_seconds`.
 */
resume: ResumeToken,
/**
 * Time for which a disconnected participant is kept, in seconds.
 */
resumeSeconds: number,
/**
 * Maximum size of a file in the chat, in bytes; 0 if there can be none. Servers that don't tell
 * permit 2 GB.
 */
maxFileBytes?: number,
/**
 * Identifies the process of the server. If another one resumes a participant, it has none of
 * its links to the media server.
 */
instance?: string,
/**
 * An earlier participant was restored; its missed events follow this reply.
 */
resumed: boolean,
/**
 * Number of the newest room event before this join; on resuming, the requested `last`.
 */
last: number, };

/**
 * Payload of `participant:left`.
 */
export type ParticipantLeft = {
/**
 * The participant that left.
 */
id: ParticipantId, };

/**
 * Payload of `signal`: either a description or a candidate.
 */
export type SignalEvent = {
/**
 * The sender, set by the server. `sfu` is the media server.
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

/**
 * Payload of `topology`.
 */
export type TopologyChanged = {
/**
 * The new topology.
 */
topology: Topology, };

/**
 * Payload of `chat`.
 */
export type ChatEvent = {
/**
 * The sender, set by the server.
 */
from: ParticipantId,
/**
 * The text.
 */
text: ChatText,
/**
 * Time of arrival at the server, in milliseconds since 1970 (UTC).
 */
at: number,
/**
 * Nobody else received it; absent of a message to all.
 */
private?: boolean,
/**
 * The file that is offered; absent of a message of text.
 */
file?: SharedFile, };

/**
 * A chat message of a room, for newcomers.
 */
export type ChatMessage = {
/**
 * The sender, who may have left.
 */
from: ParticipantId,
/**
 * The sender's name.
 */
name: DisplayName,
/**
 * The text.
 */
text: ChatText,
/**
 * Time of arrival at the server, in milliseconds since 1970 (UTC).
 */
at: number,
/**
 * The file that is offered; absent of a message of text.
 */
file?: SharedFile, };

/**
 * Payload of the event `file:signal`.
 */
export type FileSignalEvent = {
/**
 * The other end, set by the server.
 */
from: ParticipantId,
/**
 * The file.
 */
file: FileId,
/**
 * Number of the attempt.
 */
attempt: number,
/**
 * An offer or answer.
 */
description?: SessionDescription,
/**
 * An ICE candidate.
 */
candidate?: IceCandidate,
/**
 * A state.
 */
state?: FileState, };

/**
 * Payload of the event `file:withdrawn`.
 */
export type FileWithdrawnEvent = {
/**
 * The sender of the file, set by the server.
 */
from: ParticipantId,
/**
 * The file.
 */
file: FileId, };

/**
 * Payload of `handover`.
 */
export type HandoverEvent = {
/**
 * The receiving participant, set by the server.
 */
from: ParticipantId,
/**
 * The topology by which it receives this participant's media.
 */
topology: Topology, };

/**
 * Payload of `subscribed`.
 */
export type SubscribedEvent = {
/**
 * All sections in use. A section may carry another track later.
 */
tracks: Array<SubscribedTrack>, };

/**
 * Payload of `wanted`.
 */
export type WantedEvent = {
/**
 * The video's source.
 */
source: TrackSource,
/**
 * The video is shown by at least one participant.
 */
shown: boolean,
/**
 * The wanted simulcast encodings, lowest first; empty without simulcast.
 */
rids: Array<string>, };

/**
 * Kind of a message to the media server.
 */
export type SfuRequestKind = "offer" | "answer" | "publish" | "subscribe";

/**
 * Payload of `refused`. The media server's state is unchanged.
 */
export type RefusedEvent = {
/**
 * The rejected message.
 */
what: SfuRequestKind,
/**
 * The reason.
 */
error: ErrorBody, };

/**
 * Payload of `speakers`.
 */
export type SpeakersEvent = {
/**
 * Loudest first.
 */
speakers: Array<Speaker>, };

/**
 * Payload of `muted`: a host has muted sources of this participant.
 */
export type MutedEvent = {
/**
 * The host.
 */
by: ParticipantId,
/**
 * The sources.
 */
sources: Array<TrackSource>, };

/**
 * Payload of `unmute`: a host asks this participant to turn sources on.
 */
export type UnmuteEvent = {
/**
 * The host.
 */
by: ParticipantId,
/**
 * The sources.
 */
sources: Array<TrackSource>, };

/**
 * Payload of `hand_lowered`: a host has lowered this participant's hand.
 */
export type HandLoweredEvent = {
/**
 * The host.
 */
by: ParticipantId, };

/**
 * Payload of `room:settings`: the settings changed.
 */
export type SettingsEvent = {
/**
 * The policy.
 */
policy: Policy,
/**
 * The room's row in the lobby.
 */
room: RoomSummary,
/**
 * Text of the application that embeds the room; absent if empty.
 */
metadata?: string, };

/**
 * Payload of `data`: data from the application that embeds the room, through the server's API.
 */
export type DataEvent = {
/**
 * The data, in base64.
 */
data: string,
/**
 * Its kind, by which applications tell data apart; absent if none.
 */
topic?: string, };

/**
 * Payload of `spotlight`.
 */
export type SpotlightEvent = {
/**
 * The participants shown large.
 */
participants: Array<ParticipantId>, };

/**
 * Payload of `reaction`.
 */
export type ReactionEvent = {
/**
 * The sender, set by the server.
 */
from: ParticipantId,
/**
 * The emoji.
 */
emoji: Reaction, };

/**
 * Somebody in the waiting room.
 */
export type Waiting = {
/**
 * Id for `room:admit` and `room:deny`; also that of the participant, once admitted.
 */
id: ParticipantId,
/**
 * Display name.
 */
name: DisplayName, };

/**
 * Payload of `waiting:left`: somebody is no longer in the waiting room.
 */
export type WaitingLeft = {
/**
 * The id.
 */
id: ParticipantId, };

/**
 * Payload of `room:dismissed`: this socket is no longer in the room or its waiting room. A removed
 * participant is not admitted again; others may try.
 */
export type DismissedEvent = {
/**
 * The reason.
 */
reason: Dismissal, };

/**
 * Reason for which a socket was dismissed from a room.
 */
export type Dismissal = "removed" | "denied" | "ended";

/**
 * Payload of `server:draining`.
 */
export type ServerDraining = Record<symbol, never>;

/**
 * Payload of `server:restarting`.
 */
export type ServerRestarting = Record<symbol, never>;

/**
 * Machine-readable error code.
 */
export type ErrorCode = "invalid" | "unknown_event" | "too_large" | "rate_limited" | "room_exists" | "room_full" | "password_required" | "wrong_password" | "already_joined" | "not_joined" | "no_such_participant" | "no_such_poll" | "no_sfu" | "resume_expired" | "forbidden" | "room_locked" | "waiting" | "banned" | "invalid_token" | "token_expired" | "wrong_room" | "invalid_invitation" | "invitation_expired" | "invitation_used_up" | "invitation_revoked" | "sign_in_required" | "api_only" | "server_full" | "server_draining" | "not_saved" | "internal";

/**
 * Reason for which a name is invalid.
 */
export type NameError = "empty" | "too_long" | "control" | "direction" | "invisible" | "unassigned" | "marks" | "dots";

/**
 * The `error` of a rejected request.
 */
export type ErrorBody = {
/**
 * Code for programs.
 */
code: ErrorCode,
/**
 * Message for people, in English.
 */
message: string,
/**
 * Reason for which a name of a participant or room is `invalid`.
 */
name?: NameError, };
