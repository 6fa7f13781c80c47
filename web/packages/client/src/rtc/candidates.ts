// ICE candidates that arrive before their remote description.
import type { IceCandidate } from "../protocol.ts";

/** More than any browser gathers for one description; bounds what a peer can make us hold. */
const MAX_WAITING = 128;

/**
 * Holds remote candidates until their description is applied.
 *
 * A candidate carries the ufrag (RFC 8839 §5.4) of its description. One with a ufrag other than
 * those of the current remote description belongs to the next one, or to a past or ignored one. It
 * is held until the next description decides.
 */
export class CandidateQueue {
  #ufrags: readonly string[] | null = null;
  #waiting: IceCandidate[] = [];

  /** Returns a candidate that can be added now; holds any other and returns null. */
  push(candidate: IceCandidate): IceCandidate | null {
    if (this.#matches(candidate)) return candidate;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(candidate);
    return null;
  }

  /** A remote description was applied: returns its candidates and drops the others. */
  takeFor(sdp: string): IceCandidate[] {
    this.#ufrags = ufragsIn(sdp);
    const ready = this.#waiting.filter((candidate) => this.#matches(candidate));
    this.#waiting = [];
    return ready;
  }

  #matches(candidate: IceCandidate): boolean {
    if (this.#ufrags === null) return false;
    const ufrag = ufragOf(candidate);
    return ufrag === null || this.#ufrags.includes(ufrag);
  }
}

/** The ufrags of a description. */
export function ufragsIn(sdp: string): string[] {
  return [...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map((match) => match[1] ?? "");
}

/** The ufrag of a candidate, from its field or from the extension of its line. */
function ufragOf(candidate: IceCandidate): string | null {
  return candidate.usernameFragment || / ufrag (\S+)/.exec(candidate.candidate)?.[1] || null;
}
