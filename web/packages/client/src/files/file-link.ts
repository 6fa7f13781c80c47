// The connection of one attempt: a peer connection of its own with one data channel. The recipient
// offers; no attempt is ever negotiated again, as another one goes on where it ended.
import type { IceServer } from "../protocol.ts";
import { CandidateQueue } from "../rtc/candidates.ts";
import type { Signal } from "../rtc/negotiation.ts";
import { CHANNEL_LABEL } from "./wire.ts";

/** Time for a connection to come up. */
const CONNECT_TIMEOUT_MS = 25_000;
/** Time for which a connection may be without its network. */
const DISCONNECTED_TIMEOUT_MS = 6_000;

export interface FileLinkOptions {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  iceServers: readonly IceServer[];
  send: (signal: Signal) => void;
  onOpen: (channel: RTCDataChannel) => void;
  /** It did not come up, or it broke; never after `close`. */
  onBroken: () => void;
}

export class FileLink {
  readonly #options: FileLinkOptions;
  readonly #peer: RTCPeerConnection;
  readonly #candidates = new CandidateQueue();
  #channel: RTCDataChannel | null = null;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: FileLinkOptions) {
    this.#options = options;
    const { createPeer, iceServers, send } = options;
    const peer = createPeer({ iceServers: [...iceServers] });
    this.#peer = peer;
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate && !this.#isClosed) send({ candidate: candidate.toJSON() as never });
    });
    peer.addEventListener("connectionstatechange", () => this.#stateChanged());
    this.#breakAfter(CONNECT_TIMEOUT_MS);
  }

  /** The recipient's end, which offers. */
  static offering(options: FileLinkOptions): FileLink {
    const link = new FileLink(options);
    link.#use(link.#peer.createDataChannel(CHANNEL_LABEL));
    void link.#describe();
    return link;
  }

  /** The sender's end, which answers. */
  static answering(options: FileLinkOptions, offer: Signal): FileLink {
    const link = new FileLink(options);
    link.#peer.addEventListener("datachannel", ({ channel }) => {
      if (channel.label === CHANNEL_LABEL && !link.#channel) link.#use(channel);
      else channel.close();
    });
    void link.handle(offer);
    return link;
  }

  /** A description or candidate of the other end. Repetitions are ignored. */
  async handle(signal: Signal): Promise<void> {
    if (this.#isClosed) return;
    const peer = this.#peer;
    try {
      if ("candidate" in signal) {
        const ready = this.#candidates.push(signal.candidate);
        if (ready) await peer.addIceCandidate(ready);
        return;
      }
      const { type } = signal.description;
      const isDue = type === "offer" ? !peer.remoteDescription : isWaitingForAnswer(peer);
      if (!isDue) return;
      this.#breakAfter(CONNECT_TIMEOUT_MS);
      await peer.setRemoteDescription(signal.description);
      for (const ready of this.#candidates.takeFor(signal.description.sdp)) {
        await peer.addIceCandidate(ready).catch(() => {});
      }
      if (type === "offer") await this.#describe();
    } catch {
      // A description that can't be applied: nothing comes of this attempt.
      if ("description" in signal) this.#break();
    }
  }

  /** The sender answers later: there is no hurry. */
  wait(): void {
    if (!this.#peer.remoteDescription) clearTimeout(this.#timer);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#channel?.close();
    this.#peer.close();
  }

  async #describe(): Promise<void> {
    try {
      await this.#peer.setLocalDescription();
      const { localDescription } = this.#peer;
      if (this.#isClosed || !localDescription) return;
      this.#options.send({ description: localDescription.toJSON() as never });
    } catch {
      this.#break();
    }
  }

  #use(channel: RTCDataChannel): void {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.addEventListener("close", () => this.#break());
    const opened = () => {
      if (this.#isClosed) return;
      clearTimeout(this.#timer);
      this.#options.onOpen(channel);
    };
    if (channel.readyState === "open") opened();
    else channel.addEventListener("open", opened);
  }

  #stateChanged(): void {
    const { connectionState } = this.#peer;
    if (connectionState === "failed" || connectionState === "closed") return this.#break();
    if (connectionState === "disconnected") return this.#breakAfter(DISCONNECTED_TIMEOUT_MS);
    if (connectionState === "connected" && this.#channel?.readyState === "open") {
      clearTimeout(this.#timer);
    }
  }

  #breakAfter(time: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#break(), time);
  }

  #break(): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onBroken();
  }
}

function isWaitingForAnswer(peer: RTCPeerConnection): boolean {
  return peer.signalingState === "have-local-offer";
}
