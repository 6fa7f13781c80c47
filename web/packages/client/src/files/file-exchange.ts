// Files of a call. Everything but this is loaded with the first file.
import type { ChatMessage, FileRejection, FileSharing, FilesState } from "../api.ts";
import type { FileSignalEvent, ParticipantId } from "../protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { FileExchangeOptions } from "./file-signal.ts";
import { KEPT_TRANSFERS } from "./keys.ts";
import type { Transfers } from "./transfers.ts";

/** As enforced by servers that tell no limit. */
const DEFAULT_MAX_BYTES = 2_000_000_000;
/** Files that are offered at a time. */
const MAX_OFFERS = 50;
export class FileExchange implements FileSharing {
  maxBytes = DEFAULT_MAX_BYTES;
  readonly #options: FileExchangeOptions;
  readonly #state = new Store<FilesState>({
    own: new Map(),
    received: new Map(),
    withdrawn: new Set(),
  });
  #loading: Promise<Transfers> | null = null;
  #transfers: Transfers | null = null;
  /** Files that are offered once transfers are loaded. */
  #pending = 0;
  #isOver = false;

  constructor(options: FileExchangeOptions) {
    this.#options = options;
  }

  getSnapshot = (): FilesState => this.#state.getSnapshot();

  subscribe: Readable<FilesState>["subscribe"] = (listener) => this.#state.subscribe(listener);

  /** Takes the limit that the server told with a join. */
  setLimit(maxBytes = DEFAULT_MAX_BYTES): void {
    this.maxBytes = maxBytes;
  }

  offer(files: readonly File[], to?: ParticipantId): readonly FileRejection[] {
    const own = [...this.getSnapshot().own.values()].filter(({ isWithdrawn }) => !isWithdrawn);
    let room = MAX_OFFERS - own.length - this.#pending;
    const rejected: FileRejection[] = [];
    for (const file of files) {
      if (this.maxBytes === 0 || file.size > this.maxBytes)
        rejected.push({ name: file.name, reason: "tooLarge" });
      else if (room-- <= 0) rejected.push({ name: file.name, reason: "tooMany" });
      else {
        this.#pending += 1;
        this.#use((transfers) => {
          this.#pending -= 1;
          transfers.offer(file, to);
        });
      }
    }
    return rejected;
  }

  withdraw(file: string): void {
    this.#use((transfers) => transfers.withdraw(file));
  }

  receive(message: ChatMessage): void {
    this.#use((transfers) => transfers.receive(message));
  }

  refuse(message: ChatMessage): void {
    this.#use((transfers) => transfers.refuse(message));
  }

  cancel(file: string): void {
    this.#use((transfers) => transfers.cancel(file));
  }

  async content(file: string): Promise<Blob | null> {
    return this.#transfers?.content(file) ?? null;
  }

  handleSignal(event: FileSignalEvent): void {
    this.#use((transfers) => transfers.handleSignal(event));
  }

  handleWithdrawn(from: ParticipantId, file: string): void {
    this.#use((transfers) => transfers.handleWithdrawn(from, file));
  }

  /** Something happens that matters to transfers only if there are any. */
  ifUsed(run: (transfers: Transfers) => void): void {
    if (this.#loading) this.#use(run);
  }

  /** This participant came back as another one, whose earlier offers nobody can answer. */
  restart(present: readonly ParticipantId[]): void {
    this.#isOver = false;
    this.ifUsed((transfers) => transfers.restart(present));
  }

  /** Goes on with what the page before a reload has begun, as far as the senders are there. */
  resume(present: readonly ParticipantId[]): void {
    try {
      if (!this.#options.tab?.getItem(KEPT_TRANSFERS)) return;
      this.#use((transfers) => transfers.resume(present));
    } catch {
      // Storage is forbidden, so nothing was kept.
    }
  }

  /** The call has ended; or the page is unloaded, and the next one may go on. */
  close(keep: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transfers?.close(keep);
  }

  /** Runs once transfers are loaded; in order. */
  #use(run: (transfers: Transfers) => void): void {
    this.#loading ??= this.#load();
    this.#loading.then(
      (transfers) => {
        if (!this.#isOver) run(transfers);
      },
      // The server is out of reach, or has another version of the page: tried again next time.
      () => {
        this.#loading = null;
        this.#pending = 0;
      },
    );
  }

  async #load(): Promise<Transfers> {
    const { Transfers } = await import("./transfers.ts");
    const onChange = (state: FilesState) => this.#state.set(state);
    this.#transfers = new Transfers({ ...this.#options, onChange });
    return this.#transfers;
  }
}
