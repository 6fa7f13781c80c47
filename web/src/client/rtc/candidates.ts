// ICE candidates that come before the description they belong to.
import type { IceCandidate } from "../protocol.ts";

/** More than any browser gathers for one description; a peer cannot make us keep more. */
const KEPT = 128;

/**
 * Holds the remote candidates back until their description is there.
 *
 * A candidate names the user name fragment (RFC 8839 §5.4) of the description it belongs to. One
 * whose fragment is not in the present remote description belongs to the next one, or to one that
 * is past or was ignored: it is kept until the next one tells.
 */
export class CandidateQueue {
  #fragments: readonly string[] | null = null;
  #waiting: IceCandidate[] = [];

  /** A candidate came: it is returned where it may be added now, else kept. */
  take(candidate: IceCandidate): IceCandidate | null {
    if (this.#belongs(candidate)) return candidate;
    if (this.#waiting.length < KEPT) this.#waiting.push(candidate);
    return null;
  }

  /** A remote description was applied: returns what may be added now and forgets the rest. */
  described(sdp: string): IceCandidate[] {
    this.#fragments = fragments(sdp);
    const ready = this.#waiting.filter((candidate) => this.#belongs(candidate));
    this.#waiting = [];
    return ready;
  }

  #belongs(candidate: IceCandidate): boolean {
    if (this.#fragments === null) return false;
    const fragment = fragmentOf(candidate);
    return fragment === null || this.#fragments.includes(fragment);
  }
}

/** The user name fragments of a description. */
export function fragments(sdp: string): string[] {
  return [...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map((match) => match[1] ?? "");
}

/** The fragment a candidate names, in its field or as an extension of its line. */
function fragmentOf(candidate: IceCandidate): string | null {
  return candidate.usernameFragment || / ufrag (\S+)/.exec(candidate.candidate)?.[1] || null;
}
