// Files of others that this participant receives. A transfer that breaks goes on where it ended, by
// another attempt, for as long as its sender is in the room.
import type { FileFailure, ReceivedFile } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import { type Digest, rootOf } from "./digest.ts";
import { FileLink } from "./file-link.ts";
import { FileReceiver, type ReceiverStep } from "./file-receiver.ts";
import type { FileContent, FileTransport, OfferedFile } from "./file-signal.ts";
import { type FileStorage, type PartialFile, StorageError } from "./file-storage.ts";
import { BLOCK_BYTES } from "./wire.ts";

/** Transfers at a time; the others wait. */
const MAX_ACTIVE = 3;
/** Transfers that are remembered, whatever became of them. */
const MAX_KEPT = 100;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** Attempts without a single byte, in a row. */
const MAX_FRUITLESS = 10;
/** Time for the last word to reach the sender, who then closes the connection. */
const LINGER_MS = 5_000;

interface Download {
  readonly offer: OfferedFile;
  status: ReceivedFile["status"];
  failure: FileFailure | null;
  attempt: number;
  fruitless: number;
  arrived: number;
  /** What was there when the attempt began. */
  arrivedBefore: number;
  wasDamaged: boolean;
  isOpening: boolean;
  partial: PartialFile | null;
  digests: Digest[];
  /** Blocks that are being stored. */
  writes: Set<Promise<void>>;
  link: FileLink | null;
  receiver: FileReceiver | null;
  channel: RTCDataChannel | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Downloads {
  readonly #transport: FileTransport;
  readonly #storage: () => Promise<FileStorage>;
  readonly #onChange: (isUrgent: boolean) => void;
  readonly #downloads = new Map<string, Download>();

  constructor(
    transport: FileTransport,
    storage: () => Promise<FileStorage>,
    onChange: (isUrgent: boolean) => void,
  ) {
    this.#transport = transport;
    this.#storage = storage;
    this.#onChange = onChange;
  }

  get snapshot(): ReadonlyMap<string, ReceivedFile> {
    return new Map([...this.#downloads].map(([id, download]) => [id, receivedFile(download)]));
  }

  /** Those that are worth going on with after a reload of the page. */
  get unfinished(): readonly OfferedFile[] {
    return [...this.#downloads.values()].filter(isGoingOn).map(({ offer }) => offer);
  }

  /** Begins to receive a file, or tries again. */
  receive(offer: OfferedFile): void {
    const known = this.#downloads.get(offer.file.id);
    if (known && (isGoingOn(known) || known.status === "received")) return;
    const download = known ?? newDownload(offer);
    this.#downloads.set(offer.file.id, download);
    this.#forgetOldest();
    download.fruitless = 0;
    download.failure = null;
    this.#set(download, "queued");
    this.#next();
  }

  refuse(offer: OfferedFile): void {
    const { id } = offer.file;
    if (this.#downloads.has(id)) return;
    const download = newDownload(offer);
    this.#downloads.set(id, download);
    this.#forgetOldest();
    this.#set(download, "refused");
    this.#transport.signal(offer.from, id, download.attempt, { state: "refused" });
  }

  cancel(id: string): void {
    const download = this.#downloads.get(id);
    if (!download || !isGoingOn(download)) return;
    this.#transport.signal(download.offer.from, id, download.attempt, { state: "cancelled" });
    this.#discard(download, "cancelled");
  }

  /** The content of a file that was received. */
  async content(id: string): Promise<Blob | null> {
    if (this.#downloads.get(id)?.status !== "received") return null;
    return (await this.#storage()).content(id);
  }

  handle(from: ParticipantId, file: string, attempt: number, content: FileContent): void {
    const download = this.#downloads.get(file);
    if (!download || download.offer.from !== from || download.attempt !== attempt) return;
    if (!("state" in content)) return void download.link?.handle(content);
    if (!isGoingOn(download)) return;
    if (content.state === "unavailable") return this.#discard(download, "unavailable");
    if (content.state === "waiting") {
      download.link?.wait();
      this.#set(download, "waiting");
    }
  }

  /** The sender takes the file back. */
  handleWithdrawn(from: ParticipantId, file: string): void {
    const download = this.#downloads.get(file);
    if (download?.offer.from === from && download.status !== "received") {
      this.#discard(download, "unavailable");
    }
  }

  /** A participant has left for good, and its files with it. */
  handleLeft(id: ParticipantId): void {
    for (const download of this.#downloads.values()) {
      if (download.offer.from === id && isGoingOn(download)) {
        this.#discard(download, "unavailable");
      }
    }
  }

  /** The network or the server is back: what is interrupted tries again at once. */
  wake(): void {
    for (const download of this.#downloads.values()) {
      // Begun while nothing could be reached.
      if (download.status === "connecting") {
        this.#disconnect(download);
        this.#set(download, "interrupted");
      }
      if (download.status === "interrupted") this.#retry(download);
    }
  }

  /** This participant is another one now: its transfers begin anew where they ended. */
  restart(): void {
    for (const download of this.#downloads.values()) {
      if (download.link) this.#broken(download);
    }
    this.wake();
  }

  /** Ends all transfers. Without `keep`, what has arrived in part is removed. */
  async close(keep: boolean): Promise<void> {
    const downloads = [...this.#downloads.values()];
    for (const download of downloads) this.#disconnect(download);
    if (keep || downloads.length === 0) return;
    const storage = await this.#storage();
    await Promise.allSettled(
      downloads
        .filter(({ status }) => status !== "received")
        .map(({ offer }) => storage.remove(offer.file.id)),
    );
  }

  #next(): void {
    for (const download of this.#downloads.values()) {
      if (this.#active() >= MAX_ACTIVE) return;
      if (download.status === "queued" && !download.isOpening) void this.#begin(download);
    }
  }

  #active(): number {
    const isActive = ({ link, isOpening, status }: Download) =>
      link !== null || isOpening || status === "interrupted";
    return [...this.#downloads.values()].filter(isActive).length;
  }

  /** Begins an attempt, once all that has arrived is stored. */
  async #begin(download: Download): Promise<void> {
    const { file } = download.offer;
    download.isOpening = true;
    try {
      await Promise.allSettled(download.writes);
      if (!download.partial) {
        const partial = await (await this.#storage()).open(file.id, file.size);
        download.partial = partial;
        download.digests = [...partial.digests];
      }
    } catch (error) {
      download.isOpening = false;
      return this.#fail(download, error instanceof StorageError ? error.reason : "space");
    }
    download.isOpening = false;
    if (download.status !== "queued" && download.status !== "interrupted") {
      return this.#closePartial(download, true); // cancelled meanwhile
    }
    this.#connect(download);
  }

  #connect(download: Download): void {
    const { file, from } = download.offer;
    const { createPeer, iceServers, signal, now } = this.#transport;
    const stored = storedBytes(download, file.size);
    const attempt = download.attempt + 1;
    download.attempt = attempt;
    download.arrived = stored;
    download.arrivedBefore = stored;
    download.receiver = new FileReceiver(file.id, file.size, stored, now());
    download.link = FileLink.offering({
      createPeer,
      iceServers: iceServers(),
      send: (content) =>
        signal(from, file.id, attempt, content, (outcome) => {
          if (download.attempt !== attempt || !isGoingOn(download)) return;
          if (outcome === "no_such_participant") this.#discard(download, "unavailable");
          if (outcome === "forbidden") this.#fail(download, "forbidden");
        }),
      onOpen: (channel) => this.#opened(download, channel),
      onBroken: () => this.#broken(download),
    });
    this.#set(download, "connecting");
  }

  #opened(download: Download, channel: RTCDataChannel): void {
    const { receiver } = download;
    if (!receiver) return;
    const { now } = this.#transport;
    download.channel = channel;
    channel.addEventListener("message", ({ data }) => {
      if (download.receiver !== receiver) return;
      if (typeof data === "string") receiver.handleText(now(), data);
      else receiver.handleBytes(now(), new Uint8Array(data as ArrayBuffer));
      this.#pump(download);
    });
    receiver.handleOpen(now());
    this.#set(download, "receiving");
    this.#pump(download);
  }

  #pump(download: Download): void {
    const { receiver } = download;
    clearTimeout(download.timer);
    if (!receiver || download.status === "received") return;
    const now = this.#transport.now();
    receiver.handleTimeout(now);
    for (let step = receiver.poll(); step; step = receiver.poll()) {
      this.#step(download, receiver, step);
    }
    if (download.receiver !== receiver) return;
    if (receiver.arrived !== download.arrived) {
      download.arrived = receiver.arrived;
      this.#onChange(false);
    }
    const rest = receiver.timeout - now;
    if (Number.isFinite(rest)) download.timer = setTimeout(() => this.#pump(download), rest);
  }

  #step(download: Download, receiver: FileReceiver, step: ReceiverStep): void {
    switch (step.do) {
      case "say":
        try {
          download.channel?.send(step.text);
        } catch {
          // Closed, of which the link will hear.
        }
        return;
      case "store": {
        const write: Promise<void> = this.#store(download, receiver, step.at, step.bytes).finally(
          () => download.writes.delete(write),
        );
        download.writes.add(write);
        return;
      }
      case "verify":
        void this.#verify(download, receiver, step.root);
        return;
      case "finish":
        return this.#finish(download);
      case "fail":
        if (step.reason === "damaged") return void this.#damaged(download);
        return this.#broken(download);
    }
  }

  async #store(
    download: Download,
    receiver: FileReceiver,
    at: number,
    bytes: Uint8Array,
  ): Promise<void> {
    try {
      const digest = await download.partial?.write(at, bytes as Uint8Array<ArrayBuffer>);
      if (!digest) return;
      download.digests[at / BLOCK_BYTES] = digest;
      receiver.handleStored();
      if (download.receiver === receiver) this.#pump(download);
    } catch (error) {
      if (isGoingOn(download)) {
        this.#fail(download, error instanceof StorageError ? error.reason : "space");
      }
    }
  }

  async #verify(download: Download, receiver: FileReceiver, root: string): Promise<void> {
    const isSame = (await rootOf(download.digests)) === root;
    receiver.handleVerified(isSame);
    if (download.receiver === receiver) this.#pump(download);
  }

  #finish(download: Download): void {
    const { link } = download;
    download.arrived = download.offer.file.size;
    clearTimeout(download.timer);
    // The sender closes it when it has read the last word.
    setTimeout(() => link?.close(), LINGER_MS);
    download.link = null;
    download.receiver = null;
    download.channel = null;
    const { partial } = download;
    download.partial = null;
    void partial?.close().finally(() => {
      this.#set(download, "received");
      this.#next();
    });
  }

  /** What is stored is not what was sent: once more from the beginning, then no more. */
  async #damaged(download: Download): Promise<void> {
    this.#disconnect(download);
    await Promise.allSettled(download.writes);
    this.#closePartial(download, true);
    download.arrived = 0;
    if (download.wasDamaged) return this.#fail(download, "damaged");
    download.wasDamaged = true;
    this.#interrupt(download);
  }

  #broken(download: Download): void {
    if (!isGoingOn(download)) return;
    const hasProgress = download.arrived > download.arrivedBefore;
    download.fruitless = hasProgress ? 0 : download.fruitless + 1;
    this.#disconnect(download);
    if (download.fruitless > MAX_FRUITLESS) return this.#fail(download, "connection");
    this.#interrupt(download);
  }

  #interrupt(download: Download): void {
    this.#set(download, "interrupted");
    const delay = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** download.fruitless);
    download.timer = setTimeout(() => this.#retry(download), delay);
  }

  #retry(download: Download): void {
    clearTimeout(download.timer);
    if (download.status === "interrupted" && !download.isOpening) void this.#begin(download);
  }

  #fail(download: Download, failure: FileFailure): void {
    download.failure = failure;
    this.#discard(download, "failed");
  }

  /** Ends a transfer for good, and removes what has arrived. */
  #discard(download: Download, status: Download["status"]): void {
    this.#disconnect(download);
    this.#closePartial(download, true);
    download.arrived = 0;
    this.#set(download, status);
    this.#next();
  }

  #disconnect(download: Download): void {
    clearTimeout(download.timer);
    download.link?.close();
    download.link = null;
    download.receiver = null;
    download.channel = null;
  }

  #closePartial(download: Download, removes: boolean): void {
    const { partial } = download;
    download.partial = null;
    download.digests = [];
    if (!partial) return;
    const remove = async () => {
      await Promise.allSettled(download.writes);
      await partial.close();
      if (removes) await (await this.#storage()).remove(download.offer.file.id);
    };
    download.writes = new Set([remove().catch(() => {})]);
  }

  #set(download: Download, status: Download["status"]): void {
    download.status = status;
    this.#onChange(true);
  }

  #forgetOldest(): void {
    for (const [id, download] of this.#downloads) {
      if (this.#downloads.size <= MAX_KEPT) return;
      if (isGoingOn(download)) continue;
      this.#downloads.delete(id);
      if (download.status === "received") {
        void this.#storage().then((storage) => storage.remove(id).catch(() => {}));
      }
    }
  }
}

function newDownload(offer: OfferedFile): Download {
  return {
    offer,
    status: "queued",
    failure: null,
    // Larger than those of a page before this one.
    attempt: Math.floor(Date.now() / 1000) % 1_000_000_000,
    fruitless: 0,
    arrived: 0,
    arrivedBefore: 0,
    wasDamaged: false,
    isOpening: false,
    partial: null,
    digests: [],
    writes: new Set(),
    link: null,
    receiver: null,
    channel: null,
    timer: undefined,
  };
}

function isGoingOn({ status }: Download): boolean {
  return (
    status === "queued" ||
    status === "waiting" ||
    status === "connecting" ||
    status === "receiving" ||
    status === "interrupted"
  );
}

/** Bytes that are stored without a gap. */
function storedBytes({ digests }: Download, size: number): number {
  let blocks = 0;
  while (digests[blocks]) blocks += 1;
  return Math.min(size, blocks * BLOCK_BYTES);
}

function receivedFile({ offer, status, failure, arrived }: Download): ReceivedFile {
  const { file, from } = offer;
  return { file, from, status, arrived, ...(failure && { failure }) };
}
