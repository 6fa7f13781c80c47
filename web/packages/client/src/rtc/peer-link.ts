// One peer connection, kept alive: negotiated, restarted, replaced. Both a mesh link and the link
// to the media server are built on it.
import type { ConnectionState } from "../api.ts";
import type { IceServer } from "../protocol.ts";
import { Negotiation, type Signal } from "./negotiation.ts";
import {
  countRestart,
  type LinkHealth,
  NEW_LINK,
  needsNewConnection,
  POLITE_DELAY_MS,
  reduceHealth,
  restartDelay,
} from "./recovery.ts";
import { statsOf } from "./rtc-stats.ts";
import { selectedPair, transportOf } from "./selected-pair.ts";
import { UdpUpgrade } from "./udp-upgrade.ts";

export interface PeerLinkOptions {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  /** The polite end rolls back when two offers collide. */
  polite: boolean;
  /** This end makes the first offer, and replaces the connection if restarts do not help. */
  opens: boolean;
  iceServers: readonly IceServer[];
  send: (signal: Signal) => void;
  /** There is a new, empty peer connection; state of an earlier one is void. */
  onCreated: (peer: RTCPeerConnection) => void;
  /** An offer was applied; its transceivers can be adopted before it is answered. */
  adopt: (peer: RTCPeerConnection) => Promise<void> | void;
  /** The health may have changed. */
  onStateChange: (connection: ConnectionState, state: RTCPeerConnectionState) => void;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  #peer: RTCPeerConnection;
  #negotiation: Negotiation;
  #iceServers: readonly IceServer[];
  /** `#iceServers` are not yet in the configuration of the peer connection. */
  #iceServersPending = false;
  #health: LinkHealth = NEW_LINK;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #udpUpgrade: UdpUpgrade;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#iceServers = options.iceServers;
    this.#peer = this.#createPeer();
    this.#negotiation = this.#negotiate(this.#peer);
    this.#udpUpgrade = this.#upgrade(this.#peer);
    options.onCreated(this.#peer);
  }

  get peer(): RTCPeerConnection {
    return this.#peer;
  }

  get connection(): ConnectionState {
    return this.#health.connection;
  }

  /** Processes a signal from the other end. */
  handle(signal: Signal): Promise<void> {
    if (!this.#options.opens && this.#isNewSession(signal)) this.renew();
    if (this.#isIceRestart(signal)) this.#applyIceServers();
    return this.#negotiation.handle(signal);
  }

  /**
   * Sets the servers used from the next restart on, at whichever end. They are not applied sooner:
   * once the servers change, the next offer is an ICE restart (RFC 9429 §4.1.18), and TURN
   * credentials change every few minutes.
   */
  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#iceServersPending = true;
    if (!this.#peer.localDescription) this.#applyIceServers();
  }

  /** Restarts ICE now, even on a working connection. */
  restart(): void {
    this.#applyIceServers();
    void this.#negotiation.restart();
    this.#scheduleRestart();
  }

  /** Restarts ICE unless the link is connected, as after a change of network. */
  restartUnlessConnected(): void {
    if (this.#peer.connectionState !== "connected") this.restart();
  }

  /** Replaces the peer connection. Received tracks stay displayed until new ones arrive. */
  renew(): void {
    this.#closePeer();
    this.#peer = this.#createPeer();
    this.#negotiation = this.#negotiate(this.#peer);
    this.#udpUpgrade = this.#upgrade(this.#peer);
    this.#options.onCreated(this.#peer);
  }

  close(): void {
    clearTimeout(this.#restartTimer);
    this.#closePeer();
  }

  #createPeer(): RTCPeerConnection {
    this.#iceServersPending = false;
    const peer = this.#options.createPeer({
      iceServers: copyOf(this.#iceServers),
      bundlePolicy: "max-bundle",
    });
    peer.addEventListener("connectionstatechange", this.#stateChanged);
    return peer;
  }

  #negotiate(peer: RTCPeerConnection): Negotiation {
    const { polite, opens, send } = this.#options;
    const adopt = () => this.#options.adopt(peer);
    // biome-ignore lint/suspicious/noConsole: the only report of an error from the browser.
    const onError = (error: unknown) => console.warn(`negotiation: ${error}`);
    return new Negotiation({ peer, polite, opens, send, adopt, onError });
  }

  #upgrade(peer: RTCPeerConnection): UdpUpgrade {
    const protocol = async () => {
      const report = await statsOf(peer);
      return report && transportOf(report, selectedPair(report)).protocol;
    };
    const extraDelay = this.#options.opens ? 0 : POLITE_DELAY_MS;
    return new UdpUpgrade({ protocol, restart: () => this.restart(), extraDelay });
  }

  #closePeer(): void {
    this.#udpUpgrade.close();
    this.#negotiation.close();
    this.#peer.removeEventListener("connectionstatechange", this.#stateChanged);
    this.#peer.close();
  }

  #applyIceServers(): void {
    if (!this.#iceServersPending) return;
    this.#iceServersPending = false;
    this.#peer.setConfiguration({
      ...this.#peer.getConfiguration(),
      iceServers: copyOf(this.#iceServers),
    });
  }

  /** An offer that restarts ICE; answering it restarts this end too (RFC 8445 §9). */
  #isIceRestart(signal: Signal): boolean {
    const current = this.#peer.remoteDescription;
    if (!current || !("description" in signal) || signal.description.type !== "offer") return false;
    return ufragOf(signal.description.sdp) !== ufragOf(current.sdp);
  }

  /** An offer with another session id (RFC 8866 §5.2): the other end replaced its connection. */
  #isNewSession(signal: Signal): boolean {
    const current = this.#peer.remoteDescription;
    if (!current || !("description" in signal) || signal.description.type !== "offer") return false;
    return sessionIdOf(signal.description.sdp) !== sessionIdOf(current.sdp);
  }

  #stateChanged = (): void => {
    const state = this.#peer.connectionState;
    this.#health = reduceHealth(this.#health, state);
    this.#options.onStateChange(this.#health.connection, state);
    this.#udpUpgrade.observe(state);
    this.#scheduleRestart();
  };

  /** At most one timer; covers restarts that fail and restarts whose offer is lost. */
  #scheduleRestart(): void {
    clearTimeout(this.#restartTimer);
    const delay = restartDelay(this.#health, this.#peer.connectionState, !this.#options.opens);
    if (delay !== null) this.#restartTimer = setTimeout(this.#retry, delay);
  }

  /** Only the end that opened the link replaces the connection. */
  #retry = (): void => {
    this.#health = countRestart(this.#health);
    if (needsNewConnection(this.#health) && this.#options.opens) {
      this.renew();
      this.#scheduleRestart();
    } else {
      this.restart();
    }
  };
}

function sessionIdOf(sdp: string): string | undefined {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1];
}

function ufragOf(sdp: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
}

function copyOf(iceServers: readonly IceServer[]): RTCIceServer[] {
  return iceServers.map((server) => ({ ...server }));
}
