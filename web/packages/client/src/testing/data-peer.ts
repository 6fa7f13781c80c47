// Peer connections that carry a data channel within the process. Networks are up, or cut.

let serial = 0;

/** Connections find each other by their descriptions. */
export class DataNetwork {
  readonly peers = new Map<string, DataPeer>();
  isCut = false;
  /** Bytes that have arrived, over all channels. */
  delivered = 0;

  createPeer = (): RTCPeerConnection => {
    const peer = new DataPeer(this, `peer${++serial}`);
    this.peers.set(peer.id, peer);
    return peer as unknown as RTCPeerConnection;
  };

  /** Breaks every connection once this many bytes have arrived. */
  cutAt = Number.POSITIVE_INFINITY;

  /** Nothing more arrives after this many bytes. */
  stopAt = Number.POSITIVE_INFINITY;

  /** Connections that are not closed. */
  get open(): number {
    return [...this.peers.values()].filter(({ isClosed }) => !isClosed).length;
  }

  /** Breaks every connection. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const peer of this.peers.values()) peer.fail();
  }

  restore(): void {
    this.cutAt = Number.POSITIVE_INFINITY;
    this.isCut = false;
  }
}

class DataPeer extends EventTarget {
  readonly id: string;
  readonly #network: DataNetwork;
  isClosed = false;
  connectionState = "new";
  signalingState = "stable";
  localDescription: RTCSessionDescriptionInit | null = null;
  remoteDescription: RTCSessionDescriptionInit | null = null;
  channel: DataChannel | null = null;

  constructor(network: DataNetwork, id: string) {
    super();
    this.#network = network;
    this.id = id;
  }

  createDataChannel(label: string): DataChannel {
    this.channel = new DataChannel(this.#network, label);
    return this.channel;
  }

  async setLocalDescription(): Promise<void> {
    const type = this.signalingState === "stable" ? "offer" : "answer";
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
    const description = { type, sdp: this.id } as const;
    this.localDescription = Object.assign(description, { toJSON: () => ({ type, sdp: this.id }) });
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.remoteDescription = description;
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    if (description.type === "answer") this.#connect(description.sdp ?? "");
  }

  async addIceCandidate(): Promise<void> {}

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const other = this.channel?.other;
    this.channel?.end();
    if (other) queueMicrotask(() => other.end());
  }

  fail(): void {
    if (this.isClosed || this.connectionState !== "connected") return;
    this.connectionState = "failed";
    this.dispatchEvent(new Event("connectionstatechange"));
  }

  #connect(to: string): void {
    const other = this.#network.peers.get(to);
    if (!other || other.isClosed || this.isClosed || this.#network.isCut || !this.channel) return;
    const theirs = new DataChannel(this.#network, this.channel.label);
    other.channel = theirs;
    this.channel.other = theirs;
    theirs.other = this.channel;
    for (const peer of [this, other]) peer.connectionState = "connected";
    other.dispatchEvent(Object.assign(new Event("datachannel"), { channel: theirs }));
    for (const channel of [theirs, this.channel]) channel.open();
  }
}

class DataChannel extends EventTarget {
  readonly label: string;
  readonly #network: DataNetwork;
  other: DataChannel | null = null;
  readyState = "connecting";
  binaryType = "blob";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;

  constructor(network: DataNetwork, label: string) {
    super();
    this.#network = network;
    this.label = label;
  }

  open(): void {
    this.readyState = "open";
    queueMicrotask(() => this.dispatchEvent(new Event("open")));
  }

  end(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.dispatchEvent(new Event("close"));
  }

  close(): void {
    this.readyState = "closed";
  }

  send(data: string | Uint8Array): void {
    if (this.readyState !== "open") throw new DOMException("closed", "InvalidStateError");
    const copy = typeof data === "string" ? data : data.slice().buffer;
    const size = typeof copy === "string" ? copy.length : copy.byteLength;
    this.bufferedAmount += size;
    setTimeout(() => {
      this.bufferedAmount -= size;
      if (this.bufferedAmount <= this.bufferedAmountLowThreshold) {
        this.dispatchEvent(new Event("bufferedamountlow"));
      }
      if (this.#network.delivered >= this.#network.cutAt) this.#network.cut();
      if (this.#network.delivered >= this.#network.stopAt) return;
      if (this.#network.isCut || this.readyState !== "open") return;
      if (typeof copy !== "string") this.#network.delivered += size;
      this.other?.dispatchEvent(Object.assign(new Event("message"), { data: copy }));
    });
  }
}
