// Writes files that arrive into the origin private file system. A worker, since only there a file can
// be written in place: what is written survives the page.
import { type Digest, digestOf } from "./digest.ts";
import { BLOCK_BYTES } from "./wire.ts";

export type WorkerRequest =
  | { do: "open"; folder: string; id: string; size: number }
  | { do: "write"; id: string; at: number; bytes: Uint8Array<ArrayBuffer> }
  | { do: "close"; id: string }
  | { do: "remove"; folder: string; id: string };

export type WorkerReply =
  | { stored: number; digests: Digest[] }
  | { digest: Digest }
  | { done: true }
  | { error: string };

/** The part of `FileSystemSyncAccessHandle` that is used here. */
interface SyncHandle {
  getSize(): number;
  truncate(size: number): void;
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

type SyncFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> };

/** The part of a worker's global scope that is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<{ call: number; request: WorkerRequest }>) => void) | null;
  postMessage(message: { call: number; reply: WorkerReply }): void;
}

const open = new Map<string, SyncHandle>();

async function handle(request: WorkerRequest): Promise<WorkerReply> {
  switch (request.do) {
    case "open":
      return openFile(request);
    case "write": {
      const file = open.get(request.id);
      if (!file) throw new DOMException("not open", "InvalidStateError");
      const written = file.write(request.bytes, { at: request.at });
      if (written < request.bytes.length) throw new DOMException("full", "QuotaExceededError");
      return { digest: await digestOf(request.bytes) };
    }
    case "close":
      close(request.id);
      return { done: true };
    case "remove":
      close(request.id);
      await (await folderOf(request.folder)).removeEntry(request.id).catch(ignoreMissing);
      return { done: true };
  }
}

async function openFile({
  folder,
  id,
  size,
}: Extract<WorkerRequest, { do: "open" }>): Promise<WorkerReply> {
  close(id);
  const directory = await folderOf(folder);
  const entry = (await directory.getFileHandle(id, { create: true })) as SyncFile;
  const file = await entry.createSyncAccessHandle();
  open.set(id, file);
  // Whole blocks; the last one was perhaps not written whole.
  const stored = Math.floor(Math.min(file.getSize(), size) / BLOCK_BYTES) * BLOCK_BYTES;
  file.truncate(stored);
  const digests: Digest[] = [];
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < stored; at += BLOCK_BYTES) {
    file.read(block, { at });
    digests.push(await digestOf(block));
  }
  return { stored, digests };
}

function close(id: string): void {
  const file = open.get(id);
  if (!file) return;
  open.delete(id);
  file.flush();
  file.close();
}

async function folderOf(name: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(name, { create: true });
}

function ignoreMissing(error: unknown): void {
  if ((error as DOMException).name !== "NotFoundError") throw error;
}

const scope = globalThis as unknown as Scope;
scope.onmessage = ({ data: { call, request } }) => {
  handle(request).then(
    (reply) => scope.postMessage({ call, reply }),
    (error: unknown) => {
      scope.postMessage({ call, reply: { error: error instanceof Error ? error.name : "Error" } });
    },
  );
};
