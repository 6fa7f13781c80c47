// Negotiation of one link: the W3C's perfect negotiation, one step at a time.
// (https://www.w3.org/TR/webrtc/#perfect-negotiation-example)
import type { IceCandidate, SessionDescription } from "../protocol.ts";
import { CandidateQueue } from "./candidates.ts";
import { type DtlsRole, dtlsRoleOf, oppositeRole, withDtlsRole } from "./dtls-role.ts";
import { SerialQueue } from "./serial-queue.ts";

/** A message between the two ends of a link. */
export type Signal = { description: SessionDescription } | { candidate: IceCandidate };

export interface NegotiationOptions {
  peer: RTCPeerConnection;
  /** The polite end rolls back when two offers collide. Each link has one polite end. */
  polite: boolean;
  /** This end makes the first offer; the other offers nothing before it has answered that. */
  opens?: boolean;
  /** Delivers a signal to the other end, in order. */
  send: (signal: Signal) => void;
  /** An offer was applied; its transceivers can be adopted before it is answered. */
  adopt?: () => Promise<void> | void;
  /** A step failed. The link may need a restart. */
  onError?: (error: unknown) => void;
}

/**
 * Keeps both ends of a link in agreement, whichever end changes something and however their
 * messages cross.
 *
 * Incoming signals and offers of this end go through one queue, each finished before the next
 * begins. The signaling state is therefore complete when a step starts, and no flags for half-done
 * steps are needed. Nothing depends on timing. A signal may arrive twice. After a lost signal, a
 * `restart` at either end recovers.
 */
export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #peer: RTCPeerConnection;
  readonly #candidates = new CandidateQueue();
  readonly #steps = new SerialQueue();
  /** This end's offer as first sent; the browser's own copy grows with each candidate. */
  #offered: SessionDescription | null = null;
  /** The offer last answered and its answer, so that a repeated offer gets the same answer. */
  #answered: { offer: string; answer: SessionDescription } | null = null;
  /** The answer last applied. */
  #applied: string | null = null;
  /** This end's DTLS role, once negotiated. */
  #role: DtlsRole | null = null;
  #offerQueued = false;
  #closed = false;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#peer = options.peer;
    this.#peer.addEventListener("negotiationneeded", this.#negotiationNeeded);
    this.#peer.addEventListener("icecandidate", this.#candidateGathered);
  }

  /** Processes a signal from the other end. */
  handle(signal: Signal): Promise<void> {
    return this.#step(() =>
      "description" in signal
        ? this.#handleDescription(signal.description)
        : this.#handleCandidate(signal.candidate),
    );
  }

  /**
   * Restarts ICE (RFC 8445 §9). An unanswered offer is sent again first, since it or its answer
   * may be lost. An end that still waits for the first offer has nothing to restart: Chromium fails
   * on an offer without media sections, and the connection never recovers.
   */
  restart(): Promise<void> {
    return this.#step(async () => {
      this.#sendPending();
      if (this.#peer.getTransceivers().length > 0) this.#peer.restartIce();
    });
  }

  /** Drops queued steps. The peer connection is closed by its owner. */
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
      // In any other state the browser fires the event again after the exchange.
      if (this.#peer.signalingState !== "stable") return;
      await this.#peer.setLocalDescription();
      const offer = descriptionOf(this.#peer.localDescription);
      this.#offered = offer && { ...offer, sdp: withDtlsRole(offer.sdp, this.#role) };
      this.#sendPending();
    });
  };

  #candidateGathered = ({ candidate }: RTCPeerConnectionIceEvent): void => {
    // The other end does not need the empty candidate that ends a generation.
    if (!candidate?.candidate) return;
    this.#send({ candidate: serialized(candidate) });
  };

  #handleDescription(description: SessionDescription): Promise<void> {
    return description.type === "offer"
      ? this.#handleOffer(description)
      : this.#handleAnswer(description);
  }

  async #handleOffer(offer: SessionDescription): Promise<void> {
    if (offer.sdp === this.#answered?.offer) {
      // Repeated: the other end has no answer yet and may have ignored this end's offer.
      this.#send({ description: this.#answered.answer });
      this.#sendPending();
      return;
    }
    // An offer before the answer to the first offer was meant for an earlier link.
    if (this.#options.opens && this.#options.polite && !this.#peer.remoteDescription) return;
    if (this.#peer.signalingState === "have-local-offer" && !this.#options.polite) {
      // This end's offer wins and the other end repeats its own; it may have missed ours, though.
      this.#sendPending();
      return;
    }
    const rolledBack = this.#peer.signalingState === "have-local-offer" && this.#role !== null;
    await this.#peer.setRemoteDescription(offer); // rolls back a local offer
    await this.#addWaitingCandidates(offer.sdp);
    await this.#options.adopt?.();
    await this.#peer.setLocalDescription();
    const answer = descriptionOf(this.#peer.localDescription);
    if (!answer) return;
    this.#answered = { offer: offer.sdp, answer };
    this.#role = dtlsRoleOf(answer.sdp) ?? this.#role;
    this.#send({ description: answer });
    // After a rolled back restart Firefox receives nothing until the next one.
    if (rolledBack) this.#peer.restartIce();
  }

  async #handleAnswer(answer: SessionDescription): Promise<void> {
    const isExpected = this.#peer.signalingState === "have-local-offer";
    if (!isExpected || answer.sdp === this.#applied) return; // repeated
    await this.#peer.setRemoteDescription(answer);
    this.#applied = answer.sdp;
    const remoteRole = dtlsRoleOf(answer.sdp);
    if (remoteRole) this.#role = oppositeRole(remoteRole);
    await this.#addWaitingCandidates(answer.sdp);
  }

  async #handleCandidate(candidate: IceCandidate): Promise<void> {
    const ready = this.#candidates.push(candidate);
    if (ready) await this.#peer.addIceCandidate(ready);
  }

  async #addWaitingCandidates(sdp: string): Promise<void> {
    for (const candidate of this.#candidates.takeFor(sdp)) {
      try {
        await this.#peer.addIceCandidate(candidate);
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
  }

  /** Sends an unanswered offer again. */
  #sendPending(): void {
    if (this.#peer.signalingState !== "have-local-offer" || !this.#offered) return;
    this.#send({ description: this.#offered });
  }

  #send(signal: Signal): void {
    if (!this.#closed) this.#options.send(signal);
  }

  #step(run: () => Promise<void>): Promise<void> {
    return this.#steps.run(async () => {
      if (this.#closed) return;
      try {
        await run();
      } catch (error) {
        if (!this.#closed) this.#options.onError?.(error);
      }
    });
  }
}

function descriptionOf(description: RTCSessionDescription | null): SessionDescription | null {
  if (!description || description.type === "rollback") return null;
  return { type: description.type, sdp: description.sdp };
}

/** Omits members that a browser leaves null. */
function serialized(candidate: RTCIceCandidate): IceCandidate {
  const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
  return {
    candidate: candidate.candidate,
    ...(sdpMid !== null && { sdpMid }),
    ...(sdpMLineIndex !== null && { sdpMLineIndex }),
    ...(usernameFragment && { usernameFragment }),
  };
}
