// Files in the origin private file system, in a folder of this tab.
import type { KeyValueStorage } from "../options.ts";
import { type FileStorage, MemoryStorage, type PartialFile, StorageError } from "./file-storage.ts";
import type { WorkerReply, WorkerRequest } from "./opfs-worker.ts";

/** Folders, and locks that the tabs to which they belong hold. */
const PREFIX = "moim-files-";
const TAB_KEY = "moim.files-tab";

/** The origin private file system, or memory in a browser that has none or forbids it. */
export async function openFileStorage(tab: KeyValueStorage | undefined): Promise<FileStorage> {
  try {
    await navigator.storage.getDirectory();
    const folder = await ownFolder(tab);
    void removeLeftovers(folder).catch(() => {});
    return new OpfsStorage(folder);
  } catch {
    return new MemoryStorage();
  }
}

/**
 * The folder of this tab, the same after a reload. A tab that was duplicated has the same key, but
 * not the lock, and takes another one.
 */
async function ownFolder(tab: KeyValueStorage | undefined): Promise<string> {
  const known = tab?.getItem(TAB_KEY);
  if (known && (await holdLock(PREFIX + known))) return PREFIX + known;
  const key = crypto.randomUUID();
  tab?.setItem(TAB_KEY, key);
  if (!(await holdLock(PREFIX + key))) throw new Error("the lock of a new folder is taken");
  return PREFIX + key;
}

/** Takes a lock for as long as the page lives. */
function holdLock(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      })
      .catch(reject);
  });
}

/** Removes the folders of tabs that are gone. */
async function removeLeftovers(own: string): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const isHeld = (name: string) => held.some((lock) => lock.name === name);
  const root = (await navigator.storage.getDirectory()) as FileSystemDirectoryHandle & {
    keys(): AsyncIterable<string>;
  };
  for await (const name of root.keys()) {
    if (!name.startsWith(PREFIX) || name === own || isHeld(name)) continue;
    await root.removeEntry(name, { recursive: true });
  }
}

class OpfsStorage implements FileStorage {
  readonly #folder: string;
  #worker: Worker | null = null;
  #calls = new Map<number, (reply: WorkerReply) => void>();
  #lastCall = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(id: string, size: number): Promise<PartialFile> {
    const { usage = 0, quota = Number.POSITIVE_INFINITY } = await navigator.storage.estimate();
    if (size > quota - usage) throw new StorageError("space", "not enough space on this device");
    const reply = await this.#call({ do: "open", folder: this.#folder, id, size });
    if (!("stored" in reply)) throw storageError(reply);
    return {
      stored: reply.stored,
      digests: reply.digests,
      write: async (at, bytes) => {
        const written = await this.#call({ do: "write", id, at, bytes }, [bytes.buffer]);
        if (!("digest" in written)) throw storageError(written);
        return written.digest;
      },
      close: async () => {
        await this.#call({ do: "close", id });
      },
    };
  }

  async content(id: string): Promise<Blob> {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(this.#folder);
    return (await folder.getFileHandle(id)).getFile();
  }

  async remove(id: string): Promise<void> {
    await this.#call({ do: "remove", folder: this.#folder, id });
  }

  #call(request: WorkerRequest, transfer: Transferable[] = []): Promise<WorkerReply> {
    const worker = this.#worker ?? this.#start();
    const call = ++this.#lastCall;
    return new Promise((resolve) => {
      this.#calls.set(call, resolve);
      worker.postMessage({ call, request }, transfer);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./opfs-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<{ call: number; reply: WorkerReply }>) => {
      this.#calls.get(data.call)?.(data.reply);
      this.#calls.delete(data.call);
    };
    worker.onerror = () => {
      const calls = [...this.#calls.values()];
      this.#calls.clear();
      for (const done of calls) done({ error: "NetworkError" });
    };
    this.#worker = worker;
    return worker;
  }
}

function storageError(reply: WorkerReply): StorageError {
  const name = "error" in reply ? reply.error : "Error";
  const isBusy = name === "NoModificationAllowedError";
  return new StorageError(isBusy ? "busy" : "space", `the file system failed: ${name}`);
}
