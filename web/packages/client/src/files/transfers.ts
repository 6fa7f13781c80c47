// Transfers of a call, in both directions. Loaded with the first of them.
import type { ChatMessage, FilesState } from "../api.ts";
import type { FileSignalEvent, ParticipantId } from "../protocol.ts";
import { Downloads } from "./downloads.ts";
import { safeFileName } from "./file-name.ts";
import { contentOf, type FileExchangeOptions, type OfferedFile, Throttle } from "./file-signal.ts";
import type { FileStorage } from "./file-storage.ts";
import { forgetTransfers, loadTransfers, saveTransfers } from "./kept-transfers.ts";
import { withdrawnKey } from "./keys.ts";
import { openFileStorage } from "./opfs-storage.ts";
import { type FileSource, Uploads } from "./uploads.ts";

/** Between two changes of the progress. */
const PROGRESS_INTERVAL_MS = 200;
/** Withdrawn files that are remembered. */
const MAX_WITHDRAWN = 500;

export interface TransfersOptions extends FileExchangeOptions {
  /** Replaced by tests. */
  storage?: () => Promise<FileStorage>;
  newId?: () => string;
  onChange: (state: FilesState) => void;
}

export class Transfers {
  readonly #options: TransfersOptions;
  readonly #withdrawn = new Set<string>();
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #changed: Throttle;

  constructor(options: TransfersOptions) {
    const { transport, tab, storage, onChange } = options;
    this.#options = options;
    this.#changed = new Throttle(PROGRESS_INTERVAL_MS, () =>
      onChange({
        own: this.#uploads.snapshot,
        received: this.#downloads.snapshot,
        withdrawn: new Set(this.#withdrawn),
      }),
    );
    const changed = (isUrgent: boolean) => (isUrgent ? this.#changed.now() : this.#changed.soon());
    this.#uploads = new Uploads(transport, changed);
    this.#downloads = new Downloads(
      transport,
      once(storage ?? (() => openFileStorage(tab))),
      changed,
    );
  }

  /** Offers a file in the chat. */
  offer(source: FileSource & { readonly name: string }, to?: ParticipantId): void {
    const { newId = randomId, sendOffer } = this.#options;
    const info = { id: newId(), name: safeFileName(source.name), size: source.size };
    this.#uploads.add(info, source, to);
    sendOffer(info, to);
  }

  withdraw(file: string): void {
    const withdrawn = this.#uploads.withdraw(file);
    if (withdrawn) this.#options.sendWithdrawal(file, withdrawn.to);
  }

  /** The server has rejected the message that offers it. */
  handleRejected(file: string): void {
    this.#uploads.withdraw(file);
  }

  /** This participant may not send files any more. */
  stopSending(): void {
    for (const file of this.#uploads.snapshot.keys()) this.withdraw(file);
  }

  receive(message: ChatMessage): void {
    const offer = offerOf(message);
    if (offer) this.#downloads.receive(offer);
  }

  refuse(message: ChatMessage): void {
    const offer = offerOf(message);
    if (offer) this.#downloads.refuse(offer);
  }

  cancel(file: string): void {
    this.#downloads.cancel(file);
  }

  content(file: string): Promise<Blob | null> {
    return this.#downloads.content(file);
  }

  handleSignal(event: FileSignalEvent): void {
    const content = contentOf(event);
    if (!content) return;
    const { from, file, attempt } = event;
    // The offer of a connection asks for a file, known or not.
    const isRequest = "description" in content && content.description.type === "offer";
    if (isRequest || this.#uploads.has(file)) this.#uploads.handle(from, file, attempt, content);
    else this.#downloads.handle(from, file, attempt, content);
  }

  handleWithdrawn(from: ParticipantId, file: string): void {
    this.#downloads.handleWithdrawn(from, file);
    const [oldest] = this.#withdrawn;
    if (this.#withdrawn.size >= MAX_WITHDRAWN && oldest) this.#withdrawn.delete(oldest);
    this.#withdrawn.add(withdrawnKey(from, file));
    this.#changed.now();
  }

  handleLeft(id: ParticipantId): void {
    this.#uploads.handleLeft(id);
    this.#downloads.handleLeft(id);
  }

  /** The connection to the server is back, or the network has changed. */
  wake(): void {
    this.#downloads.wake();
  }

  /** This participant came back as another one, whose earlier offers nobody can answer. */
  restart(present: readonly ParticipantId[]): void {
    forgetTransfers(this.#options.tab);
    this.#uploads.withdrawAll();
    for (const { from } of this.#downloads.unfinished) {
      if (!present.includes(from)) this.#downloads.handleLeft(from);
    }
    this.#downloads.restart();
  }

  /** Goes on with what the page before a reload has begun, as far as the senders are there. */
  resume(present: readonly ParticipantId[]): void {
    const { tab, room, onKept } = this.#options;
    const kept = loadTransfers(tab, room);
    forgetTransfers(tab);
    for (const offer of kept.filter(({ from }) => present.includes(from))) {
      this.#downloads.receive(offer);
      if (offer.isPrivate) onKept(offer);
    }
  }

  /** Ends all transfers. With `keep`, the next page can go on with what has arrived. */
  close(keep: boolean): void {
    const { tab, room } = this.#options;
    if (keep) saveTransfers(tab, room, this.#downloads.unfinished);
    else forgetTransfers(tab);
    this.#changed.stop();
    this.#uploads.close();
    void this.#downloads.close(keep).catch(() => {});
  }
}

function offerOf({ file, from, name, at, isPrivate = false }: ChatMessage): OfferedFile | null {
  return file ? { file, from, name, at, isPrivate } : null;
}

/** 128 random bits. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
