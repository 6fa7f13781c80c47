// Events of the server that concern a call, in the form that a session handles.
import type {
  IceServer,
  ParticipantId,
  RefusedEvent,
  Speaker,
  SubscribedTrack,
  Topology,
} from "../protocol.ts";
import type { SubscribedEncodings } from "../rtc/encoding.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { Source } from "../rtc/source.ts";
import type { Signaling } from "../signaling/signaling.ts";
import type { CallEvent } from "./call.ts";

export type RoomEvent =
  | Extract<CallEvent, { is: "participant:joined" | "participant:updated" | "participant:left" }>
  | Extract<CallEvent, { is: "topology" }>
  | { is: "signal"; from: ParticipantId; signal: Signal }
  | { is: "subscribed"; tracks: readonly SubscribedTrack[] }
  | { is: "wanted"; source: Source; encodings: SubscribedEncodings }
  | { is: "refused"; refused: RefusedEvent }
  | { is: "handover"; from: ParticipantId; topology: Topology }
  | { is: "speakers"; speakers: readonly Speaker[] }
  | { is: "chat"; from: ParticipantId; text: string; at: number }
  | { is: "ice:servers"; iceServers: readonly IceServer[] };

/** Subscribes to every event of a room. `number` is the event's sequence number there. */
export function subscribeRoomEvents(
  signaling: Signaling,
  handle: (event: RoomEvent, number: number | undefined) => void,
): void {
  signaling.on("participant:joined", (participant, n) =>
    handle({ is: "participant:joined", participant }, n),
  );
  signaling.on("participant:updated", (participant, n) =>
    handle({ is: "participant:updated", participant }, n),
  );
  signaling.on("participant:left", ({ id }, n) => handle({ is: "participant:left", id }, n));
  signaling.on("topology", ({ topology }, n) => handle({ is: "topology", topology }, n));
  signaling.on("subscribed", ({ tracks }, n) => handle({ is: "subscribed", tracks }, n));
  signaling.on("wanted", ({ source, shown, rids }, n) =>
    handle({ is: "wanted", source, encodings: { shown, rids } }, n),
  );
  signaling.on("refused", (refused, n) => handle({ is: "refused", refused }, n));
  signaling.on("handover", ({ from, topology }, n) =>
    handle({ is: "handover", from, topology }, n),
  );
  signaling.on("speakers", ({ speakers }, n) => handle({ is: "speakers", speakers }, n));
  signaling.on("chat", ({ from, text, at }, n) => handle({ is: "chat", from, text, at }, n));
  signaling.on("ice:servers", ({ iceServers }, n) => handle({ is: "ice:servers", iceServers }, n));
  signaling.on("signal", ({ from, description, candidate }, n) => {
    if (description) handle({ is: "signal", from, signal: { description } }, n);
    else if (candidate) handle({ is: "signal", from, signal: { candidate } }, n);
  });
}
