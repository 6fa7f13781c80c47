// A call as a value: what it becomes after each message. Nothing here acts.
import type {
  CallState,
  ChatMessage,
  Connection,
  Quality,
  RemoteParticipant,
  RequestErrorCode,
  Self,
} from "../api.ts";
import type {
  Joined,
  MediaState,
  Participant,
  ParticipantId,
  ServerEvents,
  SubscribedTrack,
} from "../protocol.ts";
import type { Source } from "../rtc/source.ts";

/** What happens to a call. */
export type Message =
  /** Joined, for the first time or anew as somebody else. */
  | { is: "joined"; joined: Joined }
  /** Restored after a drop; the missed events follow. */
  | { is: "resumed"; joined: Joined }
  | { is: "dropped" }
  | { is: "ended"; error: { code: RequestErrorCode; message: string } | null }
  | { is: "participant:joined"; participant: Participant }
  | { is: "participant:updated"; participant: Participant }
  | { is: "participant:left"; id: ParticipantId }
  | { is: "topology"; topology: ServerEvents["topology"]["topology"] }
  /** One's own microphone, camera or hand. */
  | { is: "media"; media: MediaState }
  | {
      is: "link";
      id: ParticipantId;
      connection: Connection;
      stream: MediaStream | null;
      screen: MediaStream | null;
      /** Sources in formats that this browser lacks; absent where the media server tells them. */
      unplayable?: readonly Source[];
    }
  | { is: "speaking"; ids: ReadonlySet<ParticipantId>; speaker: ParticipantId | null }
  | { is: "cut off"; cutOff: boolean }
  /** Which sections bring nothing, since this browser lacks the format. */
  | { is: "subscribed"; tracks: readonly SubscribedTrack[] }
  | { is: "quality"; of: ReadonlyMap<ParticipantId, Quality> }
  | { is: "chat"; from: ParticipantId; text: string; at: number; key: string }
  /** One's own, first when it is said and then when it is known what became of it. */
  | { is: "said"; text: string; at: number; key: string; status: ChatMessage["status"] };

/** The most messages kept: more than anybody scrolls back. */
const CHAT_KEPT = 500;

/** The call after the message. It is the same object where nothing changed. */
export function after(call: CallState, message: Message): CallState {
  switch (message.is) {
    case "joined":
      return { ...begun(message.joined), chat: call.chat };
    case "resumed":
      return resumed(call, message.joined);
    case "dropped":
      return call.status === "joined" ? { ...call, status: "reconnecting" } : call;
    case "ended":
      return { ...call, status: "ended", error: message.error, others: [] };
    case "participant:joined":
      return { ...call, others: entered(call.others, message.participant) };
    case "participant:updated":
      return updated(call, message.participant);
    case "participant:left":
      return withOthers(
        call,
        call.others.filter((other) => other.id !== message.id),
      );
    case "topology":
      return { ...call, topology: message.topology };
    case "media":
      return { ...call, self: { ...call.self, media: message.media } };
    case "link":
      return linked(call, message);
    case "speaking":
      return spoken(call, message.ids, message.speaker);
    case "cut off":
      return call.cutOff === message.cutOff ? call : { ...call, cutOff: message.cutOff };
    case "subscribed":
      return subscribed(call, message.tracks);
    case "quality":
      return judged(call, message.of);
    case "chat":
      return chatted(call, {
        ...message,
        ...writerOf(call.others.find(({ id }) => id === message.from) ?? { name: "" }),
        status: "sent",
      });
    case "said":
      return chatted(call, { ...message, from: call.self.id, ...writerOf(call.self) });
  }
}

/** A call just joined. */
export function begun(joined: Joined): CallState {
  return {
    status: "joined",
    error: null,
    room: joined.room,
    topology: joined.topology,
    cutOff: false,
    speaker: null,
    chat: [],
    self: { ...joined.self, speaking: false, quality: null },
    others: joined.participants.map(stranger),
  };
}

function resumed(call: CallState, joined: Joined): CallState {
  return {
    ...call,
    status: "joined",
    room: joined.room,
    // The topology is told by the events that follow, in their order.
    others: joined.participants.map((participant) => known(call.others, participant)),
  };
}

/** Events may come twice around a resume: who is known already stays in place. */
function entered(
  others: readonly RemoteParticipant[],
  participant: Participant,
): readonly RemoteParticipant[] {
  return others.some((other) => other.id === participant.id)
    ? others.map((other) => (other.id === participant.id ? updatedBy(other, participant) : other))
    : [...others, stranger(participant)];
}

function updated(call: CallState, participant: Participant): CallState {
  if (participant.id === call.self.id) return call; // one's own state is known here first
  return withOthers(
    call,
    call.others.map((other) =>
      other.id === participant.id ? updatedBy(other, participant) : other,
    ),
  );
}

function linked(
  call: CallState,
  { id, connection, stream, screen, unplayable }: Extract<Message, { is: "link" }>,
): CallState {
  return withOthers(
    call,
    call.others.map((other) => {
      if (other.id !== id) return other;
      const judged = unplayable ? withUnplayable(other, unplayable) : other;
      const isSame =
        other.connection === connection && other.stream === stream && other.screen === screen;
      return isSame ? judged : { ...judged, connection, stream, screen };
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

function spoken(
  call: CallState,
  ids: ReadonlySet<ParticipantId>,
  speaker: ParticipantId | null,
): CallState {
  const self =
    call.self.speaking === ids.has(call.self.id)
      ? call.self
      : { ...call.self, speaking: ids.has(call.self.id) };
  const heard = withOthers(
    call,
    call.others.map((other) =>
      other.speaking === ids.has(other.id) ? other : { ...other, speaking: ids.has(other.id) },
    ),
  );
  if (self === call.self && speaker === call.speaker) return heard;
  return { ...heard, self, speaker };
}

function subscribed(call: CallState, tracks: readonly SubscribedTrack[]): CallState {
  const others = call.others.map((other) => {
    // Its link tells.
    if (other.direct) return other;
    const theirs = tracks.filter((track) => track.participant === other.id && track.unavailable);
    return withUnplayable(
      other,
      theirs.map(({ source }) => source),
    );
  });
  return withOthers(call, others);
}

function judged(call: CallState, of: ReadonlyMap<ParticipantId, Quality>): CallState {
  const rejudged = <T extends Self>(one: T): T => {
    const quality = of.get(one.id) ?? null;
    return one.quality === quality ? one : { ...one, quality };
  };
  const self = rejudged(call.self);
  const judged = withOthers(call, call.others.map(rejudged));
  return self === call.self ? judged : { ...judged, self };
}

function chatted(call: CallState, said: ChatMessage): CallState {
  const { key, from, text, at, status } = said;
  const message = { key, from, ...writerOf(said), text, at, status };
  const known = call.chat.some((each) => each.key === key);
  const chat = known
    ? call.chat.map((each) => (each.key === key ? { ...message, name: each.name } : each))
    : [...call.chat, message].slice(-CHAT_KEPT);
  return { ...call, chat };
}

/** What was said of it before and is not said again holds no longer. */
function updatedBy(before: RemoteParticipant, participant: Participant): RemoteParticipant {
  return { ...before, interrupted: false, ...participant };
}

/** Who writes, as the message keeps it. */
function writerOf({
  name,
  alike,
}: Pick<Self, "name" | "alike">): Pick<ChatMessage, "name" | "alike"> {
  return { name, ...(alike !== undefined && { alike }) };
}

/** Keeps the object where every other is as before. */
function withOthers(call: CallState, others: readonly RemoteParticipant[]): CallState {
  const same =
    others.length === call.others.length && others.every((other, i) => other === call.others[i]);
  return same ? call : { ...call, others };
}

function stranger(participant: Participant): RemoteParticipant {
  return {
    ...participant,
    speaking: false,
    quality: null,
    connection: "connecting",
    stream: null,
    screen: null,
  };
}

function known(others: readonly RemoteParticipant[], participant: Participant): RemoteParticipant {
  const before = others.find((other) => other.id === participant.id);
  return before ? updatedBy(before, participant) : stranger(participant);
}
