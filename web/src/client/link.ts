// The link to one other participant: one peer connection, kept alive.
import { applyQuality, type VideoQuality } from "./encoding.ts";
import type { Connection } from "./face.ts";
import { Negotiation, type Signal } from "./negotiation.ts";
import type { IceServer } from "./protocol.ts";
import {
  afterRestart,
  afterState,
  type Health,
  isHopeless,
  NEW_LINK,
  restartDelay,
} from "./recovery.ts";

/** What this device sends; null sends nothing. */
export interface Tracks {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
}

/** What of the browser a link needs. */
export interface LinkPlatform {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

export interface LinkOptions extends LinkPlatform {
  /** The polite end waits for the other's first offer; the other opens the link. */
  polite: boolean;
  iceServers: readonly IceServer[];
  tracks: Tracks;
  quality: VideoQuality;
  send: (signal: Signal) => void;
  changed: (connection: Connection, stream: MediaStream | null) => void;
}

/** The media sections of a link, in this order; a shared screen will be the third. */
interface Sections {
  microphone: RTCRtpTransceiver;
  camera: RTCRtpTransceiver;
}

/**
 * Carries the microphone and the camera both ways. Both sections are there from the first offer
 * on, whether or not there is anything to send, so muting and changing devices never negotiates.
 */
export class Link {
  readonly #options: LinkOptions;
  #peer: RTCPeerConnection;
  #negotiation: Negotiation;
  #iceServers: readonly IceServer[];
  #sections: Sections | null = null;
  #stream: MediaStream | null = null;
  #tracks: Tracks;
  #quality: VideoQuality;
  #health: Health = NEW_LINK;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#tracks = options.tracks;
    this.#quality = options.quality;
    this.#iceServers = options.iceServers;
    [this.#peer, this.#negotiation] = this.#connect();
    if (!options.polite) this.#offerSections();
  }

  /** Takes in a signal from the other end. */
  handle(signal: Signal): Promise<void> {
    if (this.#options.polite && this.#isFromAnother(signal)) this.#rebuild();
    return this.#negotiation.handle(signal);
  }

  /** Sends other tracks from now on. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#fill();
  }

  setQuality(quality: VideoQuality): void {
    this.#quality = quality;
    void this.#applyQuality();
  }

  /** Uses fresh servers from the next restart on. */
  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#peer.setConfiguration({
      ...this.#peer.getConfiguration(),
      iceServers: configured(iceServers),
    });
  }

  /** Looks for new paths now, be the present one good or not. */
  restart(): void {
    void this.#negotiation.restart();
    this.#schedule();
  }

  /** The network changed: restarts where the link isn't known to be well. */
  restartUnlessWell(): void {
    if (this.#peer.connectionState !== "connected") this.restart();
  }

  /** How loud the other end speaks just now, 0 to 1. */
  level(): number {
    const source = this.#sections?.microphone.receiver.getSynchronizationSources?.()[0];
    return source?.audioLevel ?? 0;
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#disconnect();
  }

  #connect(): [RTCPeerConnection, Negotiation] {
    const { createPeer, polite, send } = this.#options;
    const peer = createPeer({
      iceServers: configured(this.#iceServers),
      bundlePolicy: "max-bundle",
    });
    peer.addEventListener("connectionstatechange", this.#stateChanged);
    const adopt = () => this.#adopt();
    return [peer, new Negotiation({ peer, polite, send, adopt })];
  }

  #disconnect(): void {
    this.#negotiation.close();
    this.#peer.removeEventListener("connectionstatechange", this.#stateChanged);
    this.#peer.close();
  }

  /** Begins anew with another peer connection; what is seen and heard stays until it has some. */
  #rebuild(): void {
    this.#disconnect();
    this.#sections = null;
    [this.#peer, this.#negotiation] = this.#connect();
    if (!this.#options.polite) this.#offerSections();
  }

  /** The other end has begun anew: its offer is of another session (RFC 8866 §5.2). */
  #isFromAnother(signal: Signal): boolean {
    const now = this.#peer.remoteDescription;
    if (!now || !("description" in signal) || signal.description.type !== "offer") return false;
    return sessionOf(signal.description.sdp) !== sessionOf(now.sdp);
  }

  #offerSections(): void {
    this.#use({
      microphone: this.#peer.addTransceiver("audio", { direction: "sendrecv" }),
      camera: this.#peer.addTransceiver("video", { direction: "sendrecv" }),
    });
    void this.#fill();
  }

  /** The sections of the other end's offer, the first of each kind, become ours as well. */
  async #adopt(): Promise<void> {
    const offered = this.#peer.getTransceivers().filter(({ mid }) => mid !== null);
    const first = (kind: string) => offered.find(({ receiver }) => receiver.track.kind === kind);
    const microphone = first("audio");
    const camera = first("video");
    if (!microphone || !camera) return;
    for (const section of [microphone, camera]) {
      if (section.direction !== "sendrecv") section.direction = "sendrecv";
    }
    this.#use({ microphone, camera });
    this.#report();
    await this.#fill();
  }

  #use(sections: Sections): void {
    if (this.#sections?.microphone === sections.microphone) return;
    this.#sections = sections;
    const { microphone, camera } = sections;
    this.#stream = this.#options.createStream([microphone.receiver.track, camera.receiver.track]);
  }

  async #fill(): Promise<void> {
    if (!this.#sections) return;
    const { microphone, camera } = this.#sections;
    await Promise.all([
      carry(microphone.sender, this.#tracks.microphone),
      carry(camera.sender, this.#tracks.camera),
    ]);
    await this.#applyQuality();
  }

  async #applyQuality(): Promise<void> {
    if (this.#sections) await applyQuality(this.#sections.camera.sender, this.#quality);
  }

  #stateChanged = (): void => {
    const state = this.#peer.connectionState;
    this.#health = afterState(this.#health, state);
    this.#report();
    if (state === "connected") void this.#applyQuality();
    this.#schedule();
  };

  /** One timer at most; a restart that leads nowhere, or whose offer is lost, is followed up. */
  #schedule(): void {
    clearTimeout(this.#retry);
    const delay = restartDelay(this.#health, this.#peer.connectionState, this.#options.polite);
    if (delay !== null) this.#retry = setTimeout(this.#tryAgain, delay);
  }

  /** Of the two ends the one that opened the link begins it anew. */
  #tryAgain = (): void => {
    this.#health = afterRestart(this.#health);
    if (isHopeless(this.#health) && !this.#options.polite) {
      this.#rebuild();
      this.#schedule();
    } else {
      this.restart();
    }
  };

  #report(): void {
    this.#options.changed(this.#health.connection, this.#stream);
  }
}

async function carry(sender: RTCRtpSender, track: MediaStreamTrack | null): Promise<void> {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The link is closed, or the track ended meanwhile: its owner tells about both.
  }
}

function sessionOf(sdp: string): string | undefined {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1];
}

function configured(iceServers: readonly IceServer[]): RTCIceServer[] {
  return iceServers.map((server) => ({ ...server }));
}
