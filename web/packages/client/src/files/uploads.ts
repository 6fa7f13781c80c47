// Files that this participant offers, and their transfers to those who want them.
import type { FileRecipient, OwnFile } from "../api.ts";
import type { ParticipantId, SharedFile } from "../protocol.ts";
import type { Signal } from "../rtc/negotiation.ts";
import { type Digest, digestOf, rootOf } from "./digest.ts";
import { FileLink } from "./file-link.ts";
import { FileSender, LOW_BUFFERED_BYTES, type SenderStep } from "./file-sender.ts";
import type { FileContent, FileTransport } from "./file-signal.ts";
import { BLOCK_BYTES } from "./wire.ts";

/** Transfers at a time; each has a share of the upload. */
const MAX_ACTIVE = 4;
/** Recipients that wait for their turn. Those beyond ask again. */
const MAX_WAITING = 200;
/** Candidates kept of a recipient that waits. */
const MAX_CANDIDATES = 64;

/** A file as it is read. */
export type FileSource = Pick<Blob, "size" | "slice">;

interface Offer {
  readonly info: SharedFile;
  readonly source: FileSource;
  readonly to: ParticipantId | undefined;
  isWithdrawn: boolean;
  /** By block; those read so far. */
  readonly digests: (Digest | undefined)[];
  readonly uploads: Map<ParticipantId, Upload>;
}

interface Upload {
  readonly offer: Offer;
  readonly to: ParticipantId;
  readonly name: string;
  readonly attempt: number;
  status: FileRecipient["status"];
  sent: number;
  /** What the recipient has said while it waits for its turn. */
  waiting: Signal[] | null;
  link: FileLink | null;
  sender: FileSender | null;
  channel: RTCDataChannel | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Uploads {
  readonly #transport: FileTransport;
  readonly #onChange: (isUrgent: boolean) => void;
  readonly #offers = new Map<string, Offer>();

  constructor(transport: FileTransport, onChange: (isUrgent: boolean) => void) {
    this.#transport = transport;
    this.#onChange = onChange;
  }

  get snapshot(): ReadonlyMap<string, OwnFile> {
    return new Map([...this.#offers].map(([id, offer]) => [id, ownFile(offer)]));
  }

  /** Number of files that are offered. */
  get count(): number {
    return [...this.#offers.values()].filter(({ isWithdrawn }) => !isWithdrawn).length;
  }

  has(file: string): boolean {
    return this.#offers.has(file);
  }

  add(info: SharedFile, source: FileSource, to?: ParticipantId): void {
    const offer = { info, source, to, isWithdrawn: false, digests: [], uploads: new Map() };
    this.#offers.set(info.id, offer);
    this.#onChange(true);
  }

  /** Takes an offer back; returns its private recipient. Null if there is no such offer. */
  withdraw(file: string): { to: ParticipantId | undefined } | null {
    const offer = this.#offers.get(file);
    if (!offer || offer.isWithdrawn) return null;
    offer.isWithdrawn = true;
    for (const upload of offer.uploads.values()) {
      if (isOpen(upload)) this.#end(upload, "cancelled");
    }
    this.#onChange(true);
    return { to: offer.to };
  }

  /** Stops all transfers and offers nothing any more, as this participant may not or is another. */
  withdrawAll(): void {
    for (const id of this.#offers.keys()) this.withdraw(id);
  }

  handle(from: ParticipantId, file: string, attempt: number, content: FileContent): void {
    const offer = this.#offers.get(file);
    const upload = offer?.uploads.get(from);
    if ("state" in content) {
      const { state } = content;
      if (!offer || (state !== "refused" && state !== "cancelled")) return;
      if (upload?.status === "received") return;
      const ended = upload ?? this.#upload(offer, from, attempt);
      return this.#end(ended, state);
    }
    if ("candidate" in content) {
      if (upload?.attempt !== attempt) return;
      if (upload.link) void upload.link.handle(content);
      else if (upload.waiting && upload.waiting.length < MAX_CANDIDATES) {
        upload.waiting.push(content);
      }
      return;
    }
    if (content.description.type !== "offer") return;
    if (upload && upload.attempt >= attempt) return; // a repetition
    if (!offer || offer.isWithdrawn) {
      return this.#transport.signal(from, file, attempt, { state: "unavailable" });
    }
    if (upload) this.#close(upload);
    const next = this.#upload(offer, from, attempt);
    next.waiting = [content];
    if (this.#active() < MAX_ACTIVE) return this.#begin(next);
    if (this.#waiting().length > MAX_WAITING) return void offer.uploads.delete(from);
    this.#transport.signal(from, file, attempt, { state: "waiting" });
    this.#onChange(true);
  }

  /** A participant has left for good. */
  handleLeft(id: ParticipantId): void {
    for (const offer of this.#offers.values()) {
      const upload = offer.uploads.get(id);
      if (upload && upload.status !== "received") {
        this.#close(upload);
        offer.uploads.delete(id);
        this.#onChange(true);
      }
    }
    this.#next();
  }

  close(): void {
    for (const { uploads } of this.#offers.values()) {
      for (const upload of uploads.values()) this.#close(upload);
    }
  }

  #upload(offer: Offer, to: ParticipantId, attempt: number): Upload {
    const upload: Upload = {
      offer,
      to,
      name: this.#transport.nameOf(to) ?? "",
      attempt,
      status: "waiting",
      sent: offer.uploads.get(to)?.sent ?? 0,
      waiting: null,
      link: null,
      sender: null,
      channel: null,
      timer: undefined,
    };
    offer.uploads.set(to, upload);
    return upload;
  }

  #begin(upload: Upload): void {
    const { offer, to, attempt } = upload;
    const [first, ...candidates] = upload.waiting ?? [];
    if (!first) return;
    upload.waiting = null;
    upload.status = "connecting";
    const { createPeer, iceServers, signal, now } = this.#transport;
    upload.sender = new FileSender(offer.info.id, offer.info.size, now());
    upload.link = FileLink.answering(
      {
        createPeer,
        iceServers: iceServers(),
        send: (content) => signal(to, offer.info.id, attempt, content),
        onOpen: (channel) => this.#opened(upload, channel),
        onBroken: () => this.#end(upload, "interrupted"),
      },
      first,
    );
    for (const candidate of candidates) void upload.link.handle(candidate);
    this.#onChange(true);
  }

  #opened(upload: Upload, channel: RTCDataChannel): void {
    const { sender } = upload;
    if (!sender) return;
    upload.channel = channel;
    channel.bufferedAmountLowThreshold = LOW_BUFFERED_BYTES;
    channel.addEventListener("bufferedamountlow", () => this.#pump(upload));
    channel.addEventListener("message", ({ data }) => {
      sender.handleText(this.#transport.now(), typeof data === "string" ? data : "");
      if (sender.acknowledged > upload.sent) {
        upload.sent = sender.acknowledged;
        upload.status = "sending";
        this.#onChange(false);
      }
      this.#pump(upload);
    });
    this.#pump(upload);
  }

  #pump(upload: Upload): void {
    const { sender, channel } = upload;
    clearTimeout(upload.timer);
    if (!sender || !channel || !upload.link) return;
    const now = this.#transport.now();
    sender.handleTimeout(now);
    sender.handleBuffered(channel.bufferedAmount);
    for (let step = sender.poll(now); step; step = sender.poll(now)) {
      if (!this.#step(upload, channel, step)) return;
    }
    const rest = sender.timeout - now;
    if (Number.isFinite(rest)) upload.timer = setTimeout(() => this.#pump(upload), rest);
  }

  /** Returns whether the transfer goes on. */
  #step(upload: Upload, channel: RTCDataChannel, step: SenderStep): boolean {
    try {
      switch (step.do) {
        case "send":
          channel.send(step.bytes as Uint8Array<ArrayBuffer>);
          return true;
        case "say":
          channel.send(step.text);
          return true;
        case "read":
          void this.#read(upload, step.block);
          return true;
        case "seal":
          void this.#seal(upload);
          return true;
        case "finish":
          upload.sent = upload.offer.info.size;
          this.#end(upload, "received");
          return false;
        case "fail":
          this.#end(upload, "interrupted");
          return false;
      }
    } catch {
      // The channel has closed.
      this.#end(upload, "interrupted");
      return false;
    }
  }

  async #read(upload: Upload, block: number): Promise<void> {
    const { sender, offer } = upload;
    try {
      const bytes = await this.#block(offer, block);
      if (upload.sender !== sender) return;
      sender?.handleBlock(block, bytes);
      this.#pump(upload);
    } catch {
      this.#unreadable(offer);
    }
  }

  async #seal(upload: Upload): Promise<void> {
    const { sender, offer } = upload;
    try {
      const blocks = Math.ceil(offer.info.size / BLOCK_BYTES);
      // Those before a place from which another transfer went on.
      for (let block = 0; block < blocks; block++) {
        if (!offer.digests[block]) await this.#block(offer, block);
      }
      const root = await rootOf(offer.digests.slice(0, blocks) as Digest[]);
      if (upload.sender !== sender) return;
      sender?.handleRoot(root);
      this.#pump(upload);
    } catch {
      this.#unreadable(offer);
    }
  }

  async #block(offer: Offer, block: number): Promise<Uint8Array<ArrayBuffer>> {
    const start = block * BLOCK_BYTES;
    const end = Math.min(start + BLOCK_BYTES, offer.info.size);
    const bytes = new Uint8Array(await offer.source.slice(start, end).arrayBuffer());
    if (bytes.length !== end - start) throw new Error("the file has changed");
    offer.digests[block] ??= await digestOf(bytes);
    return bytes;
  }

  /** The file was changed or removed since it was chosen. */
  #unreadable(offer: Offer): void {
    for (const { to, attempt, status } of offer.uploads.values()) {
      if (status === "received") continue;
      this.#transport.signal(to, offer.info.id, attempt, { state: "unavailable" });
    }
    this.withdraw(offer.info.id);
  }

  #end(upload: Upload, status: Upload["status"]): void {
    this.#close(upload);
    upload.status = status;
    this.#onChange(true);
    this.#next();
  }

  #close(upload: Upload): void {
    clearTimeout(upload.timer);
    upload.link?.close();
    upload.link = null;
    upload.channel = null;
    upload.sender = null;
    upload.waiting = null;
  }

  /** Lets the next of those who wait have its turn. */
  #next(): void {
    const [next] = this.#waiting();
    if (next && this.#active() < MAX_ACTIVE) this.#begin(next);
  }

  #all(): Upload[] {
    return [...this.#offers.values()].flatMap(({ uploads }) => [...uploads.values()]);
  }

  #active(): number {
    return this.#all().filter(({ link }) => link !== null).length;
  }

  #waiting(): Upload[] {
    return this.#all().filter(({ waiting }) => waiting !== null);
  }
}

/** It goes on, or the recipient may ask again. */
function isOpen({ status }: Upload): boolean {
  return status !== "received" && status !== "refused" && status !== "cancelled";
}

function ownFile({ info, to, isWithdrawn, uploads }: Offer): OwnFile {
  const recipients = [...uploads.values()].map(({ to: id, name, status, sent }) => ({
    id,
    name,
    status,
    sent,
  }));
  return { file: info, ...(to !== undefined && { to }), isWithdrawn, recipients };
}
