// A peer connection without a network that follows the specification where negotiation depends on
// it (https://www.w3.org/TR/webrtc/).
import type { Scheduler } from "./scheduler.ts";

interface FakeTransceiver {
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

/** The state to which a rollback returns. */
interface StableState {
  mids: (string | null)[];
  localUfrag: string;
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
  /** Ufrags of the added candidates. */
  readonly addedUfrags: string[] = [];
  /** Receives nothing until the next restart, as Firefox after a rolled back restart. */
  isStuck = false;
  /** Kinds without a codec in common, whose sections are rejected. */
  readonly unsupportedKinds = new Set<string>();
  /** Number of local offers so far. */
  offerCount = 0;
  configuration: RTCConfiguration;
  readonly transceivers: FakeTransceiver[] = [];
  /** Counts by id of the received track. */
  readonly #received = new Map<string, number>();
  readonly #world: Scheduler;
  readonly #name: string;
  #pendingOperations = 0;
  #negotiationNeeded = false;
  /** Check for negotiation once the pending operations are done. */
  #checkLater = false;
  #restartWanted = false;
  #ufrag = "";
  #remoteUfrag = "";
  #dtlsRole: "active" | "passive" | null = null;
  readonly #sessionId = ++serial;
  #stable: StableState = { mids: [], localUfrag: "" };
  #closed = false;

  constructor(world: Scheduler, name: string, configuration: RTCConfiguration = {}) {
    super();
    this.#world = world;
    this.#name = name;
    this.configuration = configuration;
  }

  /** Typed for the code under test. */
  get asPeer(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }

  get ufrag(): string {
    return this.#ufrag;
  }

  addTransceiver(
    trackOrKind: string | MediaStreamTrack,
    init: {
      direction?: RTCRtpTransceiverDirection;
      sendEncodings?: RTCRtpEncodingParameters[];
    } = {},
  ): FakeTransceiver {
    const kind = typeof trackOrKind === "string" ? trackOrKind : trackOrKind.kind;
    const transceiver = this.#createTransceiver(kind, null);
    if (typeof trackOrKind !== "string") transceiver.sender.track = trackOrKind;
    if (init.direction) transceiver.direction = init.direction;
    if (init.sendEncodings) transceiver.sender.parameters = { encodings: init.sendEncodings };
    this.#checkNegotiation();
    return transceiver;
  }

  /** Delivers packets or frames to the transceiver with that mid. */
  deliver(mid: string, count = 1): void {
    const transceiver = this.transceivers.find((each) => each.mid === mid);
    if (!transceiver) throw new Error(`there is no transceiver ${mid}`);
    const { id } = transceiver.receiver.track;
    this.#received.set(id, (this.#received.get(id) ?? 0) + count);
  }

  async getStats(): Promise<Map<string, unknown>> {
    const entries = this.transceivers.map(({ kind, receiver: { track } }) => {
      const count = this.#received.get(track.id) ?? 0;
      const entry = { type: "inbound-rtp", kind, trackIdentifier: track.id };
      return [track.id, { ...entry, framesDecoded: count, packetsReceived: count }] as const;
    });
    return new Map(entries);
  }

  getTransceivers(): FakeTransceiver[] {
    return [...this.transceivers];
  }

  getReceivers(): FakeTransceiver["receiver"][] {
    return this.transceivers.map(({ receiver }) => receiver);
  }

  restartIce(): void {
    this.#restartWanted = true;
    this.#checkNegotiation();
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

  /** Changes the state, as the network would. */
  setConnectionState(state: RTCPeerConnectionState): void {
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
        this.#createOffered(description.sdp);
        this.signalingState = "have-remote-offer";
      } else {
        if (this.signalingState !== "have-local-offer") {
          throw new Error(`an answer in ${this.signalingState}`);
        }
        if (offerOf(description.sdp) !== offerOf(this.localDescription?.sdp ?? "")) {
          throw new Error("an answer to another offer");
        }
        if (this.#ufrag !== this.#stable.localUfrag) this.isStuck = false;
        this.#stopRejected(({ mid }) => mid !== null && !description.sdp.includes(` ${mid}\r\n`));
        this.#complete(description.sdp.includes("a=setup:active") ? "passive" : "active");
      }
      this.remoteDescription = description;
    });
  }

  addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    return this.#operation(() => {
      const ufrag = candidate.usernameFragment ?? "";
      if (!this.remoteDescription?.sdp.includes(`a=ice-ufrag:${ufrag}\r\n`)) {
        throw new Error(`a candidate of ${ufrag}, which is not in the remote description`);
      }
      this.addedUfrags.push(ufrag);
    });
  }

  #offer(): void {
    // As Chromium with max-bundle.
    if (this.transceivers.length === 0) throw new Error("an offer without sections");
    this.#stable = { mids: this.transceivers.map(({ mid }) => mid), localUfrag: this.#ufrag };
    this.offerCount += 1;
    serial += 1;
    for (const each of this.transceivers) each.mid ??= `${this.#name}${serial}${each.kind}`;
    if (this.#restartWanted || !this.#ufrag) this.#ufrag = `${this.#name}${serial}`;
    this.localDescription = { type: "offer", sdp: this.#sdp(serial, "actpass") };
    this.signalingState = "have-local-offer";
  }

  #answer(): void {
    serial += 1;
    const offer = this.remoteDescription?.sdp ?? "";
    const isRestart = ufragOf(offer) !== this.#remoteUfrag;
    if (isRestart || !this.#ufrag) this.#ufrag = `${this.#name}${serial}`;
    this.#remoteUfrag = ufragOf(offer);
    this.#stopRejected(({ kind, mid }) => mid !== null && this.unsupportedKinds.has(kind));
    // As Firefox, which does not keep its role if the offer lets it choose.
    const role = offer.includes("a=setup:active") ? "passive" : "active";
    this.localDescription = { type: "answer", sdp: this.#sdp(offerOf(offer), role) };
    this.#complete(role);
  }

  /** Offer and answer take effect. */
  #complete(role: "active" | "passive"): void {
    // As Chromium, which can't change its role.
    if (this.#dtlsRole !== null && this.#dtlsRole !== role) {
      throw new Error("failed to set SSL role");
    }
    this.#dtlsRole = role;
    this.signalingState = "stable";
    if (this.#ufrag !== this.#stable.localUfrag) this.#restartWanted = false;
    this.#stable = { mids: this.transceivers.map(({ mid }) => mid), localUfrag: this.#ufrag };
    this.#negotiationNeeded = false;
    this.dispatchEvent(new Event("signalingstatechange"));
    this.#checkNegotiation();
  }

  /** Stops and removes the transceivers of rejected sections (RFC 9429 §5.11). */
  #stopRejected(isRejected: (transceiver: FakeTransceiver) => boolean): void {
    for (const transceiver of this.transceivers.filter(isRejected)) {
      transceiver.currentDirection = "stopped";
      transceiver.mid = null;
      this.transceivers.splice(this.transceivers.indexOf(transceiver), 1);
    }
  }

  #rollback(): void {
    this.isStuck ||= this.#stable.localUfrag !== "" && this.#restartWanted;
    this.transceivers.forEach((transceiver, i) => {
      transceiver.mid = this.#stable.mids[i] ?? null;
    });
    this.#ufrag = this.#stable.localUfrag;
    this.signalingState = "stable";
  }

  /** Creates the offered transceivers; those of `addTransceiver` never match an offered one. */
  #createOffered(sdp: string): void {
    for (const [, kind = "", mid = ""] of sdp.matchAll(/^m=(\S+) (\S+)\r$/gm)) {
      if (!this.transceivers.some((each) => each.mid === mid)) this.#createTransceiver(kind, mid);
    }
  }

  #createTransceiver(kind: string, mid: string | null): FakeTransceiver {
    const transceiver: FakeTransceiver = {
      kind,
      mid,
      direction: mid === null ? "sendrecv" : "recvonly",
      sender: new FakeSender(),
      receiver: {
        track: { id: `${this.#name}-received${++serial}`, kind },
        getSynchronizationSources: () => [],
      },
      // Called before negotiation only, so that the transceiver leaves no trace.
      stop: () => void this.transceivers.splice(this.transceivers.indexOf(transceiver), 1),
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  #sdp(offer: number | string, setup: string): string {
    const negotiated = this.transceivers.filter(({ mid }) => mid !== null);
    const sections = negotiated.map(({ kind, mid }) => `m=${kind} ${mid}\r\n`).join("");
    const head = `v=0\r\no=- ${this.#sessionId} ${serial} IN IP4 0.0.0.0\r\ns=${offer}\r\n`;
    return `${head}a=setup:${setup}\r\na=ice-ufrag:${this.#ufrag}\r\n${sections}`;
  }

  #gather(): void {
    const usernameFragment = this.#ufrag;
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
    this.#pendingOperations += 1;
    return new Promise((resolve, reject) => {
      this.#world.queue(`operation:${this.#name}`, () => {
        this.#pendingOperations -= 1;
        try {
          if (!this.#closed) run();
          resolve();
        } catch (error) {
          reject(error);
        }
        if (this.#pendingOperations === 0 && this.#checkLater) {
          this.#checkLater = false;
          this.#checkNegotiation();
        }
      });
    });
  }

  #checkNegotiation(): void {
    if (this.#pendingOperations > 0) {
      this.#checkLater = true;
      return;
    }
    const isNeeded = this.#restartWanted || this.transceivers.some(({ mid }) => mid === null);
    if (this.signalingState !== "stable" || this.#negotiationNeeded || !isNeeded) return;
    this.#negotiationNeeded = true;
    this.#world.queue(`event:${this.#name}`, () => {
      if (this.#closed || !this.#negotiationNeeded) return;
      if (this.#pendingOperations > 0) {
        this.#negotiationNeeded = false;
        this.#checkLater = true;
      } else if (this.signalingState === "stable") {
        this.dispatchEvent(new Event("negotiationneeded"));
      }
    });
  }
}

function ufragOf(sdp: string): string {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
}

/** The offer that a description is, or answers. Real SDP does not contain it. */
function offerOf(sdp: string): string {
  return /^s=(\S+)/m.exec(sdp)?.[1] ?? "";
}
