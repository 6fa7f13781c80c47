/** Where somebody at `/r/NAME` is: before the call, in it, or after it. */
import type { Call, CallState } from "../../client/index.ts";
import type { Refusal } from "./refusal.ts";

export type Phase =
  | { at: "preview"; refusal: Refusal | null }
  | { at: "joining"; refusal: Refusal | null }
  | { at: "call"; call: Call }
  | { at: "left"; error: CallState["error"] };

export type Happening =
  | { type: "asked" }
  | { type: "joined"; call: Call }
  | { type: "refused"; refusal: Refusal }
  | { type: "ended"; call: Call; error: CallState["error"] }
  | { type: "wentBack" };

export function after(phase: Phase, happening: Happening): Phase {
  switch (happening.type) {
    case "asked":
      // The last refusal stays, so that a password field does not vanish meanwhile.
      return { at: "joining", refusal: phase.at === "preview" ? phase.refusal : null };
    case "joined":
      return phase.at === "joining" ? { at: "call", call: happening.call } : phase;
    case "refused":
      return phase.at === "joining" ? { at: "preview", refusal: happening.refusal } : phase;
    case "ended":
      return phase.at === "call" && phase.call === happening.call
        ? { at: "left", error: happening.error }
        : phase;
    case "wentBack":
      return phase.at === "left" ? { at: "preview", refusal: null } : phase;
  }
}
