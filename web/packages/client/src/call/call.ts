// State of a call and its reducer. Nothing here has side effects.
import type {
  CallParticipant,
  CallState,
  ChatMessage,
  ConnectionState,
  Quality,
  Reception,
  RemoteParticipant,
  RequestErrorCode,
} from "../api.ts";
import type {
  Joined,
  MediaState,
  Participant,
  ParticipantId,
  Policy,
  Poll,
  RoomSummary,
  SharedFile,
  SubscribedTrack,
  Topology,
  TrackSource,
  Waiting,
} from "../protocol.ts";
import type { Source } from "../rtc/source.ts";
import { isHost } from "./permitted.ts";
import { joinedPolls, withoutPoll, withPoll, withVote } from "./polling.ts";

export type CallEvent =
  /** Joined, for the first time or again as a new participant. */
  | { is: "joined"; joined: Joined }
  /** Resumed after a disconnect; the missed events follow. */
  | { is: "resumed"; joined: Joined }
  | { is: "disconnected" }
  | { is: "ended"; error: { code: RequestErrorCode; message: string } | null }
  | { is: "participant:joined"; participant: Participant }
  | { is: "participant:updated"; participant: Participant }
  | { is: "participant:left"; id: ParticipantId }
  | { is: "topology"; topology: Topology }
  /** This device's microphone, camera, screen or hand. */
  | { is: "media"; media: MediaState }
  | {
      is: "link";
      id: ParticipantId;
      connection: ConnectionState;
      stream: MediaStream | null;
      screen: MediaStream | null;
      /** Sources that this browser can't decode; absent if the media server reports them. */
      unplayable?: readonly Source[];
    }
  | { is: "speaking"; ids: ReadonlySet<ParticipantId>; speaker: ParticipantId | null }
  | { is: "sfu:unreachable"; unreachable: boolean }
  | { is: "reception"; reception: Reception }
  /** Assignment of the media server's sections, some of them without a codec in common. */
  | { is: "subscribed"; tracks: readonly SubscribedTrack[] }
  | { is: "quality"; qualities: ReadonlyMap<ParticipantId, Quality> }
  /** A host muted this participant. */
  | { is: "muted"; by: ParticipantId; sources: readonly TrackSource[] }
  /** A host asks this participant to turn sources on; null once it has answered. */
  | { is: "unmute"; by: ParticipantId; sources: readonly TrackSource[] }
  | { is: "unmute:answered" }
  /** A host lowered this participant's hand. */
  | { is: "hand_lowered"; by: ParticipantId }
  | { is: "spotlight"; ids: readonly ParticipantId[] }
  | { is: "reaction"; from: ParticipantId; emoji: string }
  | { is: "settings"; policy: Policy; room: RoomSummary }
  | { is: "waiting:joined"; waiting: Waiting }
  | { is: "waiting:left"; id: ParticipantId }
  | { is: "poll"; poll: Poll }
  | { is: "poll:removed"; poll: number }
  /** This participant's vote, once the server has it. */
  | { is: "poll:voted"; poll: number; options: readonly number[] }
  | {
      is: "chat";
      from: ParticipantId;
      text: string;
      at: number;
      isPrivate?: boolean;
      key: string;
      file?: SharedFile;
      /** The sender's name, if it is told otherwise than by the list of participants. */
      name?: string;
    }
  /** A message of this device, when it is sent and again when its outcome is known. */
  | {
      is: "chat:own";
      text: string;
      at: number;
      key: string;
      /** The recipient of a private message. */
      to?: NonNullable<ChatMessage["to"]>;
      file?: SharedFile;
      status: ChatMessage["status"];
    };

const MAX_CHAT_MESSAGES = 500;
const MAX_FORMER_IDS = 50;

/** The call after the event; the same object if nothing changed. */
export function reduceCall(call: CallState, event: CallEvent): CallState {
  switch (event.is) {
    case "joined":
      return {
        ...newCall(event.joined, formerIds(call, event.joined)),
        chat: rejoinedChat(call.chat, event.joined),
        reception: call.reception,
      };
    case "resumed":
      return resumed(call, event.joined);
    case "disconnected":
      return call.status === "joined" ? { ...call, status: "reconnecting" } : call;
    case "ended":
      return { ...call, status: "ended", error: event.error, others: [] };
    case "participant:joined":
      return { ...call, others: withParticipant(call.others, event.participant) };
    case "participant:updated":
      return participantUpdated(call, event.participant);
    case "participant:left":
      return withOthers(
        call,
        call.others.filter((other) => other.id !== event.id),
      );
    case "topology":
      return { ...call, topology: event.topology };
    case "media":
      return { ...call, self: withMedia(call, event.media) };
    case "link":
      return linkChanged(call, event);
    case "speaking":
      return speakingChanged(call, event);
    case "reception":
      return { ...call, reception: event.reception };
    case "sfu:unreachable":
      return call.sfuUnreachable === event.unreachable
        ? call
        : { ...call, sfuUnreachable: event.unreachable };
    case "subscribed":
      return subscribed(call, event.tracks);
    case "quality":
      return qualityChanged(call, event.qualities);
    case "muted":
      return { ...call, mutedBy: { name: hostName(call, event.by), sources: event.sources } };
    case "unmute":
      return { ...call, unmuteRequest: { by: hostName(call, event.by), sources: event.sources } };
    case "unmute:answered":
      return call.unmuteRequest ? { ...call, unmuteRequest: null } : call;
    case "hand_lowered":
      return { ...call, handLoweredBy: { name: hostName(call, event.by) } };
    case "spotlight":
      return { ...call, spotlight: event.ids };
    case "reaction": {
      const { from, emoji } = event;
      const key = (call.reaction?.key ?? 0) + 1;
      const name = from === call.self.id ? call.self.name : hostName(call, from);
      return { ...call, reaction: { key, from, name, emoji } };
    }
    case "settings":
      return { ...call, policy: event.policy, room: event.room };
    case "waiting:joined":
      return { ...call, waiting: [...without(call.waiting, event.waiting.id), event.waiting] };
    case "waiting:left":
      return { ...call, waiting: without(call.waiting, event.id) };
    case "chat":
      return withMessage(call, {
        ...event,
        ...nameOf(call.others.find(({ id }) => id === event.from) ?? { name: event.name ?? "" }),
        status: "sent",
      });
    case "chat:own": {
      const isPrivate = event.to !== undefined;
      return withMessage(call, {
        ...event,
        isPrivate,
        from: call.self.id,
        ...nameOf(call.self),
      });
    }
    case "poll":
      return { ...call, polls: withPoll(call.polls, event.poll) };
    case "poll:removed":
      return { ...call, polls: withoutPoll(call.polls, event.poll) };
    case "poll:voted":
      return { ...call, polls: withVote(call.polls, event.poll, event.options) };
  }
}

/** A call right after joining, by a participant that had these ids before. */
export function newCall(joined: Joined, formerIds: readonly ParticipantId[] = []): CallState {
  return {
    status: "joined",
    error: null,
    room: joined.room,
    topology: joined.topology,
    sfuUnreachable: false,
    reception: "all",
    speaker: null,
    policy: joined.policy ?? null,
    waiting: joined.waiting ?? [],
    spotlight: joined.spotlight ?? [],
    unmuteRequest: null,
    mutedBy: null,
    handLoweredBy: null,
    reaction: null,
    chat: earlierChat(joined),
    polls: joinedPolls(joined),
    self: { ...joined.self, speaking: false, quality: null },
    formerIds,
    others: joined.participants.map(newParticipant),
  };
}

function resumed(call: CallState, joined: Joined): CallState {
  return {
    ...call,
    status: "joined",
    room: joined.room,
    policy: joined.policy ?? null,
    waiting: joined.waiting ?? [],
    spotlight: joined.spotlight ?? [],
    polls: joinedPolls(joined),
    self: { ...updated(call.self, joined.self), media: call.self.media },
    // The topology follows in the missed events, in their order.
    others: joined.participants.map((participant) => {
      const before = call.others.find((other) => other.id === participant.id);
      return before ? updated(before, participant) : newParticipant(participant);
    }),
  };
}

/** Events may be repeated after a resume: a known participant keeps its position. */
function withParticipant(
  others: readonly RemoteParticipant[],
  participant: Participant,
): readonly RemoteParticipant[] {
  return others.some((other) => other.id === participant.id)
    ? others.map((other) => (other.id === participant.id ? updated(other, participant) : other))
    : [...others, newParticipant(participant)];
}

function participantUpdated(call: CallState, participant: Participant): CallState {
  if (participant.id === call.self.id) {
    // This device knows its own media first; a host changes the rest.
    const self = { ...updated(call.self, participant), media: call.self.media };
    // Those who may not admit hear nothing more of who waits.
    return { ...call, self, waiting: isHost(participant.role) ? call.waiting : [] };
  }
  return withOthers(
    call,
    call.others.map((other) => (other.id === participant.id ? updated(other, participant) : other)),
  );
}

/** One's own hand is raised after all others: the server tells its place to them alone. */
function withMedia({ self, others }: CallState, media: MediaState): CallParticipant {
  const { raised, ...rest } = self;
  if (!media.hand) return { ...rest, media };
  const last = Math.max(0, ...others.map((other) => other.raised ?? 0));
  return { ...rest, media, raised: raised ?? last + 1 };
}

function linkChanged(
  call: CallState,
  { id, connection, stream, screen, unplayable }: Extract<CallEvent, { is: "link" }>,
): CallState {
  return withOthers(
    call,
    call.others.map((other) => {
      if (other.id !== id) return other;
      const next = unplayable ? withUnplayable(other, unplayable) : other;
      const isSame =
        other.connection === connection && other.stream === stream && other.screen === screen;
      return isSame ? next : { ...next, connection, stream, screen };
    }),
  );
}

function withUnplayable(
  other: RemoteParticipant,
  unplayable: readonly Source[],
): RemoteParticipant {
  if (unplayable.join() === (other.unplayable ?? []).join()) return other;
  const { unplayable: _, ...rest } = other;
  return unplayable.length > 0 ? { ...rest, unplayable } : rest;
}

function speakingChanged(
  call: CallState,
  { ids, speaker }: Extract<CallEvent, { is: "speaking" }>,
): CallState {
  const update = <T extends CallParticipant>(participant: T): T => {
    const speaking = ids.has(participant.id);
    return participant.speaking === speaking ? participant : { ...participant, speaking };
  };
  const self = update(call.self);
  const next = withOthers(call, call.others.map(update));
  if (self === call.self && speaker === call.speaker) return next;
  return { ...next, self, speaker };
}

function subscribed(call: CallState, tracks: readonly SubscribedTrack[]): CallState {
  const others = call.others.map((other) => {
    // Its mesh link reports this.
    if (other.direct) return other;
    const unavailable = tracks.filter(
      (track) => track.participant === other.id && track.unavailable,
    );
    return withUnplayable(
      other,
      unavailable.map(({ source }) => source),
    );
  });
  return withOthers(call, others);
}

function qualityChanged(
  call: CallState,
  qualities: ReadonlyMap<ParticipantId, Quality>,
): CallState {
  const update = <T extends CallParticipant>(participant: T): T => {
    const quality = qualities.get(participant.id) ?? null;
    return participant.quality === quality ? participant : { ...participant, quality };
  };
  const self = update(call.self);
  const next = withOthers(call, call.others.map(update));
  return self === call.self ? next : { ...next, self };
}

function formerIds({ formerIds, self }: CallState, joined: Joined): readonly ParticipantId[] {
  // A call begins with the answer to its join.
  return self.id === joined.self.id ? formerIds : [...formerIds, self.id].slice(-MAX_FORMER_IDS);
}

/** Adds a message, or replaces the one with its key. */
function withMessage(call: CallState, message: ChatMessage): CallState {
  const { key, from, text, at, status, isPrivate, to, file } = message;
  const next: ChatMessage = {
    key,
    from,
    ...nameOf(message),
    text,
    at,
    status,
    ...(isPrivate && { isPrivate }),
    ...(to && { to }),
    ...(file && { file }),
  };
  const isKnown = call.chat.some((each) => each.key === key);
  const chat = isKnown
    ? call.chat.map((each) => (each.key === key ? { ...next, name: each.name } : each))
    : [...call.chat, next].slice(-MAX_CHAT_MESSAGES);
  return { ...call, chat };
}

/** Messages from before this page joined. */
function earlierChat(joined: Joined): readonly ChatMessage[] {
  return (joined.chat ?? []).map(({ from, name, text, at, file }, place) => ({
    key: `earlier ${at} ${place}`,
    from,
    name,
    text,
    at,
    ...(file && { file }),
    status: "sent" as const,
    earlier: true,
  }));
}

/**
 * After a new join: what the server has in place of what was received, private messages, which it
 * does not keep, and own unsent ones.
 */
function rejoinedChat(chat: readonly ChatMessage[], joined: Joined): readonly ChatMessage[] {
  const earlier = earlierChat(joined);
  const first = earlier[0];
  if (!first) return chat;
  const sent = chat.filter(({ status }) => status === "sent");
  const older = sent.filter(({ at }) => at < first.at);
  const own = sent.filter(({ at, isPrivate }) => isPrivate && at >= first.at);
  const since = [...earlier, ...own].sort((a, b) => a.at - b.at);
  return [...older, ...since, ...chat.filter(({ status }) => status !== "sent")];
}

/** What an update does not mention has ended. */
function updated<T extends CallParticipant>(before: T, participant: Participant): T {
  const next = { ...before, interrupted: false, ...participant };
  for (const key of ["muted", "raised", "role", "unsubscribed", "withheld"] as const) {
    if (!(key in participant)) delete next[key];
  }
  return next;
}

function hostName(call: CallState, id: ParticipantId): string {
  return call.others.find((other) => other.id === id)?.name ?? "";
}

function without(waiting: readonly Waiting[], id: ParticipantId): readonly Waiting[] {
  return waiting.filter((one) => one.id !== id);
}

function nameOf({
  name,
  alike,
}: Pick<CallParticipant, "name" | "alike">): Pick<ChatMessage, "name" | "alike"> {
  return { name, ...(alike !== undefined && { alike }) };
}

/** Returns the same call if each participant is the same object as before. */
function withOthers(call: CallState, others: readonly RemoteParticipant[]): CallState {
  const isSame =
    others.length === call.others.length && others.every((other, i) => other === call.others[i]);
  return isSame ? call : { ...call, others };
}

function newParticipant(participant: Participant): RemoteParticipant {
  return {
    ...participant,
    speaking: false,
    quality: null,
    connection: "connecting",
    stream: null,
    screen: null,
  };
}
