// A peer connection that follows the specification in what negotiation depends on, and has no
// network: https://www.w3.org/TR/webrtc/.
import type { Scheduler } from "./scheduler.ts";

interface Section {
  kind: string;
  mid: string | null;
  direction: RTCRtpTransceiverDirection;
  currentDirection?: RTCRtpTransceiverDirection;
  sender: FakeSender;
  receiver: {
    track: { id: string; kind: string };
    getSynchronizationSources: () => { audioLevel: number }[];
  };
  stop: () => void;
}

interface State {
  mids: (string | null)[];
  localFragment: string;
}

export class FakeSender {
  track: MediaStreamTrack | null = null;
  parameters: { encodings: RTCRtpEncodingParameters[] } = { encodings: [{}] };
  setStreams(): void {}
  async replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    this.track = track;
  }
  getParameters() {
    return structuredClone(this.parameters);
  }
  async setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }): Promise<void> {
    this.parameters = parameters;
  }
}

let serial = 0;

export class FakePeer extends EventTarget {
  signalingState: RTCSignalingState = "stable";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: { type: RTCSdpType; sdp: string } | null = null;
  remoteDescription: { type: RTCSdpType; sdp: string } | null = null;
  /** Candidates that were added, by their fragment. */
  readonly added: string[] = [];
  /** Hears nothing, as Firefox after it rolled a restart back, until the next restart. */
  deaf = false;
  /** Kinds of which it can decode no offered format, so that it rejects their sections. */
  readonly lacks = new Set<string>();
  /** Offers set so far. */
  offers = 0;
  configuration: RTCConfiguration;
  readonly sections: Section[] = [];
  readonly #received = new Map<string, number>();
  readonly #world: Scheduler;
  readonly #name: string;
  #operations = 0;
  #needed = false;
  #askAgain = false;
  #restartWanted = false;
  #fragment = "";
  #remoteFragment = "";
  #role: "active" | "passive" | null = null;
  readonly #session = ++serial;
  #stable: State = { mids: [], localFragment: "" };
  #closed = false;

  constructor(world: Scheduler, name: string, configuration: RTCConfiguration = {}) {
    super();
    this.#world = world;
    this.#name = name;
    this.configuration = configuration;
  }

  /** This, as the code under test knows it. */
  get asPeer(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }

  get fragment(): string {
    return this.#fragment;
  }

  addTransceiver(
    what: string | MediaStreamTrack,
    init: {
      direction?: RTCRtpTransceiverDirection;
      sendEncodings?: RTCRtpEncodingParameters[];
    } = {},
  ): Section {
    const section = this.#section(typeof what === "string" ? what : what.kind, null);
    if (typeof what !== "string") section.sender.track = what;
    if (init.direction) section.direction = init.direction;
    if (init.sendEncodings) section.sender.parameters = { encodings: init.sendEncodings };
    this.#askNegotiation();
    return section;
  }

  /** Something arrives by the section of that mid. */
  receive(mid: string, count = 1): void {
    const section = this.sections.find((each) => each.mid === mid);
    if (!section) throw new Error(`there is no section ${mid}`);
    const { id } = section.receiver.track;
    this.#received.set(id, (this.#received.get(id) ?? 0) + count);
  }

  async getStats(): Promise<Map<string, unknown>> {
    const entries = this.sections.map(({ kind, receiver: { track } }) => {
      const count = this.#received.get(track.id) ?? 0;
      const entry = { type: "inbound-rtp", kind, trackIdentifier: track.id };
      return [track.id, { ...entry, framesDecoded: count, packetsReceived: count }] as const;
    });
    return new Map(entries);
  }

  getTransceivers(): Section[] {
    return [...this.sections];
  }

  getReceivers(): Section["receiver"][] {
    return this.sections.map(({ receiver }) => receiver);
  }

  restartIce(): void {
    this.#restartWanted = true;
    this.#askNegotiation();
  }

  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  get iceConnectionState(): RTCIceConnectionState {
    return this.connectionState === "connecting" ? "checking" : this.connectionState;
  }

  close(): void {
    this.#closed = true;
    this.signalingState = "closed";
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Moves to a connection state, as the network would make it. */
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }

  setLocalDescription(): Promise<void> {
    return this.#operation(() => {
      if (this.signalingState === "stable") this.#offer();
      else if (this.signalingState === "have-remote-offer") this.#answer();
      else throw new Error(`setLocalDescription in ${this.signalingState}`);
      this.#gather();
    });
  }

  setRemoteDescription(description: { type: RTCSdpType; sdp: string }): Promise<void> {
    return this.#operation(() => {
      if (description.type === "offer") {
        if (this.signalingState === "have-local-offer") this.#rollback();
        this.#accept(description.sdp);
        this.signalingState = "have-remote-offer";
      } else {
        if (this.signalingState !== "have-local-offer") {
          throw new Error(`an answer in ${this.signalingState}`);
        }
        if (offerOf(description.sdp) !== offerOf(this.localDescription?.sdp ?? "")) {
          throw new Error("an answer to another offer");
        }
        if (this.#fragment !== this.#stable.localFragment) this.deaf = false;
        this.#stop(({ mid }) => mid !== null && !description.sdp.includes(` ${mid}\r\n`));
        this.#settle(description.sdp.includes("a=setup:active") ? "passive" : "active");
      }
      this.remoteDescription = description;
    });
  }

  addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    return this.#operation(() => {
      const fragment = candidate.usernameFragment ?? "";
      if (!this.remoteDescription?.sdp.includes(`a=ice-ufrag:${fragment}\r\n`)) {
        throw new Error(`a candidate of ${fragment}, which is not the remote description's`);
      }
      this.added.push(fragment);
    });
  }

  #offer(): void {
    // As Chromium does where everything is to be bundled, and nothing is there.
    if (this.sections.length === 0) throw new Error("an offer without sections");
    this.#stable = { mids: this.sections.map(({ mid }) => mid), localFragment: this.#fragment };
    this.offers += 1;
    serial += 1;
    for (const section of this.sections) section.mid ??= `${this.#name}${serial}${section.kind}`;
    if (this.#restartWanted || !this.#fragment) this.#fragment = `${this.#name}${serial}`;
    this.localDescription = { type: "offer", sdp: this.#sdp(serial, "actpass") };
    this.signalingState = "have-local-offer";
  }

  #answer(): void {
    serial += 1;
    const offer = this.remoteDescription?.sdp ?? "";
    const restarted = fragmentOf(offer) !== this.#remoteFragment;
    if (restarted || !this.#fragment) this.#fragment = `${this.#name}${serial}`;
    this.#remoteFragment = fragmentOf(offer);
    this.#stop(({ kind, mid }) => mid !== null && this.lacks.has(kind));
    // As Firefox does: given the choice, it doesn't keep the role it has.
    const role = offer.includes("a=setup:active") ? "passive" : "active";
    this.localDescription = { type: "answer", sdp: this.#sdp(offerOf(offer), role) };
    this.#settle(role);
  }

  /** An offer and its answer are in force. */
  #settle(role: "active" | "passive"): void {
    // As Chromium does: it can't change its role.
    if (this.#role !== null && this.#role !== role) throw new Error("failed to set SSL role");
    this.#role = role;
    this.signalingState = "stable";
    if (this.#fragment !== this.#stable.localFragment) this.#restartWanted = false;
    this.#stable = { mids: this.sections.map(({ mid }) => mid), localFragment: this.#fragment };
    this.#needed = false;
    this.dispatchEvent(new Event("signalingstatechange"));
    this.#askNegotiation();
  }

  /** Rejected sections are no longer among the connection's (RFC 9429 §5.11). */
  #stop(isRejected: (section: Section) => boolean): void {
    for (const section of this.sections.filter(isRejected)) {
      section.currentDirection = "stopped";
      section.mid = null;
      this.sections.splice(this.sections.indexOf(section), 1);
    }
  }

  #rollback(): void {
    this.deaf ||= this.#stable.localFragment !== "" && this.#restartWanted;
    this.sections.forEach((section, i) => {
      section.mid = this.#stable.mids[i] ?? null;
    });
    this.#fragment = this.#stable.localFragment;
    this.signalingState = "stable";
  }

  /** Sections made by `addTransceiver` never match an offered one, so new ones are made. */
  #accept(sdp: string): void {
    for (const [, kind = "", mid = ""] of sdp.matchAll(/^m=(\S+) (\S+)\r$/gm)) {
      if (!this.sections.some((section) => section.mid === mid)) this.#section(kind, mid);
    }
  }

  #section(kind: string, mid: string | null): Section {
    const section: Section = {
      kind,
      mid,
      direction: mid === null ? "sendrecv" : "recvonly",
      sender: new FakeSender(),
      receiver: {
        track: { id: `${this.#name}-received${++serial}`, kind },
        getSynchronizationSources: () => [],
      },
      // Only ever asked of a section that was not negotiated, which is then as if it had not been.
      stop: () => void this.sections.splice(this.sections.indexOf(section), 1),
    };
    this.sections.push(section);
    return section;
  }

  #sdp(offer: number | string, setup: string): string {
    const sections = this.sections.filter(({ mid }) => mid !== null);
    const lines = sections.map(({ kind, mid }) => `m=${kind} ${mid}\r\n`).join("");
    const head = `v=0\r\no=- ${this.#session} ${serial} IN IP4 0.0.0.0\r\ns=${offer}\r\n`;
    return `${head}a=setup:${setup}\r\na=ice-ufrag:${this.#fragment}\r\n${lines}`;
  }

  #gather(): void {
    const usernameFragment = this.#fragment;
    const candidates = [`candidate:1 ${usernameFragment}`, `candidate:2 ${usernameFragment}`, ""];
    for (const candidate of candidates) {
      this.#world.queue(`gather:${this.#name}`, () => {
        if (this.localDescription) this.localDescription.sdp += `a=${candidate}\r\n`;
        const event = new Event("icecandidate");
        const fields = { candidate, sdpMid: "0", sdpMLineIndex: 0, usernameFragment };
        this.dispatchEvent(Object.assign(event, { candidate: fields }));
      });
    }
  }

  #operation(run: () => void): Promise<void> {
    this.#operations += 1;
    return new Promise((resolve, reject) => {
      this.#world.queue(`operation:${this.#name}`, () => {
        this.#operations -= 1;
        try {
          if (!this.#closed) run();
          resolve();
        } catch (error) {
          reject(error);
        }
        if (this.#operations === 0 && this.#askAgain) {
          this.#askAgain = false;
          this.#askNegotiation();
        }
      });
    });
  }

  #askNegotiation(): void {
    if (this.#operations > 0) {
      this.#askAgain = true;
      return;
    }
    const wanted = this.#restartWanted || this.sections.some(({ mid }) => mid === null);
    if (this.signalingState !== "stable" || this.#needed || !wanted) return;
    this.#needed = true;
    this.#world.queue(`event:${this.#name}`, () => {
      if (this.#closed || !this.#needed) return;
      if (this.#operations > 0) {
        this.#needed = false;
        this.#askAgain = true;
      } else if (this.signalingState === "stable") {
        this.dispatchEvent(new Event("negotiationneeded"));
      }
    });
  }
}

function fragmentOf(sdp: string): string {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
}

/** Which offer a description is, or answers; real SDP does not tell, so only the fake may ask. */
function offerOf(sdp: string): string {
  return /^s=(\S+)/m.exec(sdp)?.[1] ?? "";
}
