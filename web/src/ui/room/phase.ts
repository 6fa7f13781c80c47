/** Phases of the view at `/r/NAME`: before, in and after the call. */
import type { Call, CallState } from "moim-client";
import type { Rejection } from "./rejection.ts";

export type Phase =
  | { name: "preview"; rejection: Rejection | null }
  | { name: "joining"; rejection: Rejection | null }
  /**
   * Another tab is in this call, or in another one with an open microphone; nothing happens before
   * an answer.
   */
  | { name: "elsewhere"; request: JoinAs; otherRoom: string | null }
  /** In the waiting room, until a host decides. */
  | { name: "waiting" }
  /** Since a time in milliseconds. */
  | { name: "call"; call: Call; since: number }
  /** After a call of so many seconds. */
  | { name: "ended"; error: CallState["error"]; seconds: number };

/** Name and password with which a room is joined. */
export interface JoinAs {
  name: string;
  password: string;
}

export type PhaseEvent =
  | { type: "join" }
  | { type: "elsewhere"; request: JoinAs; otherRoom: string | null }
  | { type: "waiting" }
  | { type: "cancelled" }
  | { type: "joined"; call: Call; now: number }
  | { type: "rejected"; rejection: Rejection }
  | { type: "ended"; call: Call; error: CallState["error"]; now: number }
  | { type: "navigatedBack" };

export function reducePhase(phase: Phase, event: PhaseEvent): Phase {
  switch (event.type) {
    case "join":
      // The last rejection is kept, so that the password field stays mounted.
      return { name: "joining", rejection: phase.name === "preview" ? phase.rejection : null };
    case "elsewhere":
      return phase.name === "call"
        ? phase
        : { name: "elsewhere", request: event.request, otherRoom: event.otherRoom };
    case "waiting":
      return phase.name === "joining" ? { name: "waiting" } : phase;
    case "cancelled":
      return isPending(phase) || phase.name === "elsewhere"
        ? { name: "preview", rejection: null }
        : phase;
    case "joined":
      return isPending(phase) ? { name: "call", call: event.call, since: event.now } : phase;
    case "rejected":
      return isPending(phase) ? { name: "preview", rejection: event.rejection } : phase;
    case "ended":
      return phase.name === "call" && phase.call === event.call
        ? { name: "ended", error: event.error, seconds: (event.now - phase.since) / 1000 }
        : phase;
    case "navigatedBack":
      return phase.name === "ended" ? { name: "preview", rejection: null } : phase;
  }
}

function isPending(phase: Phase): boolean {
  return phase.name === "joining" || phase.name === "waiting";
}
