// One peer connection to somebody, kept alive: negotiated, restarted, begun anew. A link to a
// participant and the link to the media server are both one of these.
import type { Connection } from "../api.ts";
import { Negotiation, type Signal } from "./negotiation.ts";
import type { IceServer } from "../protocol.ts";
import {
  afterRestart,
  afterState,
  type Health,
  isHopeless,
  NEW_LINK,
  restartDelay,
} from "./recovery.ts";

export interface TransportOptions {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  /** In a collision of two offers this end gives way. */
  polite: boolean;
  /** This end makes the first offer, and begins anew where restarting does not help. */
  opens: boolean;
  iceServers: readonly IceServer[];
  send: (signal: Signal) => void;
  /** There is a new peer connection, empty as yet; what was known of an earlier one is void. */
  began: (peer: RTCPeerConnection) => void;
  /** An offer was applied; what it offers can be adopted before it is answered. */
  adopt: (peer: RTCPeerConnection) => Promise<void> | void;
  /** Its health may have changed. */
  changed: (connection: Connection, state: RTCPeerConnectionState) => void;
}

export class Transport {
  readonly #options: TransportOptions;
  #peer: RTCPeerConnection;
  #negotiation: Negotiation;
  #iceServers: readonly IceServer[];
  /** The peer connection has yet to learn of these. */
  #fresh = false;
  #health: Health = NEW_LINK;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#iceServers = options.iceServers;
    [this.#peer, this.#negotiation] = this.#connect();
    options.began(this.#peer);
  }

  get peer(): RTCPeerConnection {
    return this.#peer;
  }

  get connection(): Connection {
    return this.#health.connection;
  }

  /** Takes in a signal from the other end. */
  handle(signal: Signal): Promise<void> {
    if (!this.#options.opens && this.#isFromAnother(signal)) this.renew();
    if (this.#restarts(signal)) this.#applyIceServers();
    return this.#negotiation.handle(signal);
  }

  /**
   * Uses fresh servers from the next restart on, whichever end restarts. A connection learns of them no
   * sooner: once its servers change, its next offer is a restart (RFC 9429 §4.1.18), and credentials
   * change every few minutes.
   */
  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#fresh = true;
    if (!this.#peer.localDescription) this.#applyIceServers();
  }

  /** Looks for new paths now, be the present one good or not. */
  restart(): void {
    this.#applyIceServers();
    void this.#negotiation.restart();
    this.#schedule();
  }

  /** The network changed: restarts where the link isn't known to be well. */
  restartUnlessWell(): void {
    if (this.#peer.connectionState !== "connected") this.restart();
  }

  /** Begins anew with another peer connection; what is seen and heard stays until it has some. */
  renew(): void {
    this.#disconnect();
    [this.#peer, this.#negotiation] = this.#connect();
    this.#options.began(this.#peer);
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#disconnect();
  }

  #connect(): [RTCPeerConnection, Negotiation] {
    const { createPeer, polite, opens, send } = this.#options;
    this.#fresh = false;
    const peer = createPeer({
      iceServers: configured(this.#iceServers),
      bundlePolicy: "max-bundle",
    });
    peer.addEventListener("connectionstatechange", this.#stateChanged);
    const adopt = () => this.#options.adopt(peer);
    // biome-ignore lint/suspicious/noConsole: nobody else tells what a browser refused, and why.
    const failed = (error: unknown) => console.warn(`negotiation: ${error}`);
    return [peer, new Negotiation({ peer, polite, opens, send, adopt, failed })];
  }

  #disconnect(): void {
    this.#negotiation.close();
    this.#peer.removeEventListener("connectionstatechange", this.#stateChanged);
    this.#peer.close();
  }

  #applyIceServers(): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    this.#peer.setConfiguration({
      ...this.#peer.getConfiguration(),
      iceServers: configured(this.#iceServers),
    });
  }

  /** An offer that restarts ICE, which this end does too as it answers (RFC 8445 §9). */
  #restarts(signal: Signal): boolean {
    const now = this.#peer.remoteDescription;
    if (!now || !("description" in signal) || signal.description.type !== "offer") return false;
    return fragmentOf(signal.description.sdp) !== fragmentOf(now.sdp);
  }

  /** The other end has begun anew: its offer is of another session (RFC 8866 §5.2). */
  #isFromAnother(signal: Signal): boolean {
    const now = this.#peer.remoteDescription;
    if (!now || !("description" in signal) || signal.description.type !== "offer") return false;
    return sessionOf(signal.description.sdp) !== sessionOf(now.sdp);
  }

  #stateChanged = (): void => {
    const state = this.#peer.connectionState;
    this.#health = afterState(this.#health, state);
    this.#options.changed(this.#health.connection, state);
    this.#schedule();
  };

  /** One timer at most; a restart that leads nowhere, or whose offer is lost, is followed up. */
  #schedule(): void {
    clearTimeout(this.#retry);
    const delay = restartDelay(this.#health, this.#peer.connectionState, !this.#options.opens);
    if (delay !== null) this.#retry = setTimeout(this.#tryAgain, delay);
  }

  /** Of the two ends the one that opened the link begins it anew. */
  #tryAgain = (): void => {
    this.#health = afterRestart(this.#health);
    if (isHopeless(this.#health) && this.#options.opens) {
      this.renew();
      this.#schedule();
    } else {
      this.restart();
    }
  };
}

function sessionOf(sdp: string): string | undefined {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1];
}

function fragmentOf(sdp: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
}

function configured(iceServers: readonly IceServer[]): RTCIceServer[] {
  return iceServers.map((server) => ({ ...server }));
}
