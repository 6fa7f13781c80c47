// Where files are put while they arrive: the origin private file system, or memory where there is
// none.
import { type Digest, digestOf } from "./digest.ts";
import { BLOCK_BYTES } from "./wire.ts";

/** Most that is kept in memory, where the browser has no other place. */
export const MAX_MEMORY_BYTES = 128 << 20;

/** `space`: the device has too little. `memory`: too large for a browser without a file system. */
export type StorageFailure = "space" | "memory" | "busy";

export class StorageError extends Error {
  readonly reason: StorageFailure;

  constructor(reason: StorageFailure, message: string) {
    super(message);
    this.name = "StorageError";
    this.reason = reason;
  }
}

/** A file that is arriving. */
export interface PartialFile {
  /** Bytes that were stored before: whole blocks. */
  readonly stored: number;
  /** Digests of those blocks. */
  readonly digests: readonly Digest[];
  /** Stores a block; resolves to its digest. */
  write(at: number, bytes: Uint8Array<ArrayBuffer>): Promise<Digest>;
  /** Closes it; what is stored stays. */
  close(): Promise<void>;
}

export interface FileStorage {
  /** Opens a file that has arrived in part, or begins it. Rejects with a `StorageError`. */
  open(id: string, size: number): Promise<PartialFile>;
  /** The content of a whole file. */
  content(id: string): Promise<Blob>;
  remove(id: string): Promise<void>;
}

interface MemoryFile {
  readonly parts: BlobPart[];
  readonly digests: Digest[];
  stored: number;
  /** Reserved. */
  readonly size: number;
}

/** Keeps blocks in memory, a few of them as one `Blob`, which browsers may put on the disk. */
export class MemoryStorage implements FileStorage {
  readonly #files = new Map<string, MemoryFile>();
  #bytes = 0;

  async open(id: string, size: number): Promise<PartialFile> {
    const known = this.#files.get(id);
    const file = known ?? { parts: [], digests: [], stored: 0, size };
    if (!known) {
      if (this.#bytes + size > MAX_MEMORY_BYTES) {
        throw new StorageError("memory", "too large to be kept in memory");
      }
      this.#bytes += size;
      this.#files.set(id, file);
    }
    return {
      stored: file.stored,
      digests: [...file.digests],
      write: async (at, bytes) => {
        const digest = await digestOf(bytes);
        file.parts[at / BLOCK_BYTES] = new Blob([bytes]);
        file.digests[at / BLOCK_BYTES] = digest;
        file.stored = at + bytes.length;
        return digest;
      },
      close: async () => {},
    };
  }

  async content(id: string): Promise<Blob> {
    return new Blob(this.#files.get(id)?.parts ?? []);
  }

  async remove(id: string): Promise<void> {
    const file = this.#files.get(id);
    if (!file) return;
    this.#files.delete(id);
    this.#bytes -= file.size;
  }
}
