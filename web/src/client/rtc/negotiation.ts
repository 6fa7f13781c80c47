// One link's negotiation: the W3C's perfect negotiation pattern, one step at a time.
// (https://www.w3.org/TR/webrtc/#perfect-negotiation-example)
import { CandidateQueue } from "./candidates.ts";
import type { IceCandidate, SessionDescription } from "../protocol.ts";
import { type DtlsRole, opposite, roleOf, withRole } from "./dtls-role.ts";

/** What travels between the two ends: exactly one of the two. */
export type Signal = { description: SessionDescription } | { candidate: IceCandidate };

export interface NegotiationOptions {
  peer: RTCPeerConnection;
  /** In a collision of two offers the polite end gives way. Each link has one polite end. */
  polite: boolean;
  /** This end makes the first offer; the other has nothing to offer before it has answered that. */
  opens?: boolean;
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
 * half-done steps is needed. It makes no assumption about time. A signal may come twice; after one
 * was lost, a `restart` at either end makes good.
 */
export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #peer: RTCPeerConnection;
  readonly #candidates = new CandidateQueue();
  #steps: Promise<void> = Promise.resolve();
  /** Our offer as it was first sent; the browser's own copy grows as candidates come in. */
  #offered: SessionDescription | null = null;
  /** The offer last answered, and how; so that a repeated offer gets the very same answer. */
  #answered: { offer: string; answer: SessionDescription } | null = null;
  /** The answer last applied. */
  #applied: string | null = null;
  /** Our part in the link's DTLS, once agreed. */
  #role: DtlsRole | null = null;
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
   * first, since it or its answer may be lost. An end that still waits for the first offer has
   * nothing to restart: Chromium fails an offer without sections, and the connection for good.
   */
  restart(): Promise<void> {
    return this.#step(async () => {
      this.#sendPending();
      if (this.#peer.getTransceivers().length > 0) this.#peer.restartIce();
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
      const offer = described(this.#peer.localDescription);
      this.#offered = offer && { ...offer, sdp: withRole(offer.sdp, this.#role) };
      this.#sendPending();
    });
  };

  #candidateGathered = ({ candidate }: RTCPeerConnectionIceEvent): void => {
    // The empty candidate that ends a generation tells the other end nothing it needs.
    if (!candidate?.candidate) return;
    this.#say({ candidate: plain(candidate) });
  };

  #handleDescription(description: SessionDescription): Promise<void> {
    return description.type === "offer"
      ? this.#handleOffer(description)
      : this.#handleAnswer(description);
  }

  async #handleOffer(offer: SessionDescription): Promise<void> {
    if (offer.sdp === this.#answered?.offer) {
      // It comes again: the other end has no answer yet, and maybe ignored what we offer.
      this.#say({ description: this.#answered.answer });
      this.#sendPending();
      return;
    }
    // What comes before the answer to our first offer was meant for an earlier link.
    if (this.#options.opens && this.#options.polite && !this.#peer.remoteDescription) return;
    if (this.#peer.signalingState === "have-local-offer" && !this.#options.polite) {
      // Our own stands and theirs comes again after it; they may not have ours, though.
      this.#sendPending();
      return;
    }
    const lost = this.#peer.signalingState === "have-local-offer" && this.#role !== null;
    await this.#peer.setRemoteDescription(offer); // rolls back our own offer
    await this.#addWaitingCandidates(offer.sdp);
    await this.#options.adopt?.();
    await this.#peer.setLocalDescription();
    const answer = described(this.#peer.localDescription);
    if (!answer) return;
    this.#answered = { offer: offer.sdp, answer };
    this.#role = roleOf(answer.sdp) ?? this.#role;
    this.#say({ description: answer });
    // Firefox hears nothing more after a restart of its own was rolled back, until the next one.
    if (lost) this.#peer.restartIce();
  }

  async #handleAnswer(answer: SessionDescription): Promise<void> {
    const asked = this.#peer.signalingState === "have-local-offer";
    if (!asked || answer.sdp === this.#applied) return; // it came twice
    await this.#peer.setRemoteDescription(answer);
    this.#applied = answer.sdp;
    const theirs = roleOf(answer.sdp);
    if (theirs) this.#role = opposite(theirs);
    await this.#addWaitingCandidates(answer.sdp);
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

  /** Sends the offer that waits for its answer once more, if there is one. */
  #sendPending(): void {
    if (this.#peer.signalingState !== "have-local-offer" || !this.#offered) return;
    this.#say({ description: this.#offered });
  }

  #say(signal: Signal): void {
    if (!this.#closed) this.#options.send(signal);
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

function described(description: RTCSessionDescription | null): SessionDescription | null {
  if (!description || description.type === "rollback") return null;
  return { type: description.type, sdp: description.sdp };
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
