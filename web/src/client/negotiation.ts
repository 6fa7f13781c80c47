// One link's negotiation: the W3C's perfect negotiation pattern, one step at a time.
// (https://www.w3.org/TR/webrtc/#perfect-negotiation-example)
import { CandidateQueue } from "./candidates.ts";
import type { IceCandidate, SessionDescription } from "./protocol.ts";

/** What travels between the two ends: exactly one of the two. */
export type Signal = { description: SessionDescription } | { candidate: IceCandidate };

export interface NegotiationOptions {
  peer: RTCPeerConnection;
  /** In a collision of two offers the polite end gives way. Each link has one polite end. */
  polite: boolean;
  /** Brings a signal to the other end, in order. */
  send: (signal: Signal) => void;
  /** An offer was applied; what it offers can be adopted before it is answered. */
  adopt?: () => Promise<void> | void;
  /** A step failed: the link may need a restart, the page goes on. */
  failed?: (error: unknown) => void;
}

/**
 * Keeps the two ends of a link agreed, whoever changes something and however their messages cross.
 *
 * Incoming signals and offers of our own go through one queue, each finished before the next
 * begins; so the signaling state says all there is to know when a step starts, and no flag about
 * half-done steps is needed. It makes no assumption about time and bears duplicates.
 */
export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #peer: RTCPeerConnection;
  readonly #candidates = new CandidateQueue();
  #steps: Promise<void> = Promise.resolve();
  #offerQueued = false;
  #closed = false;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#peer = options.peer;
    this.#peer.addEventListener("negotiationneeded", this.#negotiationNeeded);
    this.#peer.addEventListener("icecandidate", this.#candidateGathered);
  }

  /** Takes in what the other end sent; resolves when it is dealt with. */
  handle(signal: Signal): Promise<void> {
    return this.#step(() =>
      "description" in signal
        ? this.#handleDescription(signal.description)
        : this.#handleCandidate(signal.candidate),
    );
  }

  /**
   * Looks for new paths (ICE restart, RFC 8445 §9). An offer still without an answer is sent again
   * first, since it or its answer may be lost.
   */
  restart(): Promise<void> {
    return this.#step(async () => {
      const pending = this.#peer.pendingLocalDescription;
      if (this.#peer.signalingState === "have-local-offer" && pending) {
        this.#sendDescription(pending);
      }
      this.#peer.restartIce();
    });
  }

  /** Ends it; what is still queued is dropped. The peer connection is closed by its owner. */
  close(): void {
    this.#closed = true;
    this.#peer.removeEventListener("negotiationneeded", this.#negotiationNeeded);
    this.#peer.removeEventListener("icecandidate", this.#candidateGathered);
  }

  #negotiationNeeded = (): void => {
    if (this.#offerQueued) return;
    this.#offerQueued = true;
    void this.#step(async () => {
      this.#offerQueued = false;
      // Else the browser tells again once the exchange under way is over.
      if (this.#peer.signalingState !== "stable") return;
      await this.#peer.setLocalDescription();
      this.#sendDescription(this.#peer.localDescription);
    });
  };

  #candidateGathered = ({ candidate }: RTCPeerConnectionIceEvent): void => {
    // The empty candidate that ends a generation tells the other end nothing it needs.
    if (!candidate?.candidate) return;
    this.#options.send({ candidate: plain(candidate) });
  };

  async #handleDescription(description: SessionDescription): Promise<void> {
    const state = this.#peer.signalingState;
    if (description.type === "offer") {
      const collision = state === "have-local-offer";
      // The impolite end's own offer stands; the polite end's comes again after it.
      if (collision && !this.#options.polite) return;
      await this.#peer.setRemoteDescription(description); // rolls back our own offer
      await this.#addWaitingCandidates(description.sdp);
      await this.#options.adopt?.();
      await this.#peer.setLocalDescription();
      this.#sendDescription(this.#peer.localDescription);
    } else {
      // A second answer to the same offer.
      if (state !== "have-local-offer" && state !== "have-remote-pranswer") return;
      await this.#peer.setRemoteDescription(description);
      await this.#addWaitingCandidates(description.sdp);
    }
  }

  async #handleCandidate(candidate: IceCandidate): Promise<void> {
    const ready = this.#candidates.take(candidate);
    if (ready) await this.#peer.addIceCandidate(ready);
  }

  async #addWaitingCandidates(sdp: string): Promise<void> {
    for (const candidate of this.#candidates.described(sdp)) {
      try {
        await this.#peer.addIceCandidate(candidate);
      } catch (error) {
        this.#options.failed?.(error);
      }
    }
  }

  #sendDescription(description: RTCSessionDescription | null): void {
    if (!description || description.type === "rollback" || this.#closed) return;
    this.#options.send({ description: { type: description.type, sdp: description.sdp } });
  }

  #step(run: () => Promise<void>): Promise<void> {
    this.#steps = this.#steps.then(async () => {
      if (this.#closed) return;
      try {
        await run();
      } catch (error) {
        if (!this.#closed) this.#options.failed?.(error);
      }
    });
    return this.#steps;
  }
}

/** The candidate as it travels; fields that a browser leaves null are left out. */
function plain(candidate: RTCIceCandidate): IceCandidate {
  const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
  return {
    candidate: candidate.candidate,
    ...(sdpMid !== null && { sdpMid }),
    ...(sdpMLineIndex !== null && { sdpMLineIndex }),
    ...(usernameFragment && { usernameFragment }),
  };
}
