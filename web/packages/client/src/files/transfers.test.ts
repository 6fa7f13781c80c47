import { afterEach, expect, test, vi } from "vitest";
import type { ChatMessage, FilesState } from "../api.ts";
import type { FileSignalEvent, ParticipantId, SharedFile } from "../protocol.ts";
import { DataNetwork } from "../testing/data-peer.ts";
import type { FileTransport } from "./file-signal.ts";
import { type FileStorage, MemoryStorage, StorageError } from "./file-storage.ts";
import { Transfers } from "./transfers.ts";
import type { FileSource } from "./uploads.ts";

const SIZE = 3_000_000;

/** The message that offers a file. */
type Offered = ChatMessage & { file: SharedFile };

/** A room with people who can send each other files. */
class Room {
  readonly network = new DataNetwork();
  readonly people = new Map<ParticipantId, Person>();

  enter(id: ParticipantId, storage: FileStorage = new MemoryStorage()): Person {
    const person = new Person(this, id, storage);
    this.people.set(id, person);
    return person;
  }

  leave(id: ParticipantId): void {
    this.people.get(id)?.transfers.close(false);
    this.people.delete(id);
    for (const { transfers } of this.people.values()) transfers.handleLeft(id);
  }
}

class Person {
  readonly #room: Room;
  readonly id: ParticipantId;
  readonly transfers: Transfers;
  state: FilesState = { own: new Map(), received: new Map(), withdrawn: new Set() };
  #nextId = "";
  #offered: Offered | null = null;

  constructor(room: Room, id: ParticipantId, storage: FileStorage) {
    this.#room = room;
    this.id = id;
    const transport: FileTransport = {
      createPeer: room.network.createPeer,
      iceServers: () => [],
      signal: (to, file, attempt, content, done) => {
        const other = room.people.get(to);
        const event = { from: id, file, attempt, ...content } as FileSignalEvent;
        setTimeout(() => {
          other?.transfers.handleSignal(event);
          done?.(other ? null : "no_such_participant");
        });
      },
      nameOf: (other) => (room.people.has(other) ? other : undefined),
      now: () => performance.now(),
    };
    this.transfers = new Transfers({
      transport,
      tab: undefined,
      room: "tea",
      sendOffer: (file) => {
        this.#offered = {
          file,
          from: id,
          name: id,
          text: file.name,
          at: 0,
          key: "",
          status: "sent",
        };
      },
      sendWithdrawal: (file) => {
        for (const other of room.people.values()) other.transfers.handleWithdrawn(id, file);
      },
      onKept: () => {},
      newId: () => this.#nextId,
      storage: async () => storage,
      onChange: (state) => {
        this.state = state;
      },
    });
  }

  /** Offers noise, and returns what others hear of it. */
  offer(id: string, size = SIZE): { offered: Offered; source: Uint8Array<ArrayBuffer> } {
    const source = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(source.subarray(at, at + 65_536));
    }
    const offered = this.share(id, Object.assign(new Blob([source]), { name: "noise.bin" }));
    return { offered, source };
  }

  share(id: string, source: FileSource & { name: string }): Offered {
    this.#nextId = id;
    this.transfers.offer(source);
    if (!this.#offered) throw new Error("nothing was offered");
    return this.#offered;
  }

  async has(status: string, id = "f"): Promise<void> {
    await vi.waitFor(() => expect(this.state.received.get(id)?.status).toBe(status), 15_000);
  }

  /** The network delivers a part of a file and then no more. */
  async arrives(id = "f"): Promise<void> {
    const { network } = this.#room;
    network.stopAt = network.delivered + SIZE / 10;
    await vi.waitFor(() => expect(this.state.received.get(id)?.arrived).toBeGreaterThan(0));
  }

  async content(id = "f"): Promise<Uint8Array> {
    const content = await this.transfers.content(id);
    return new Uint8Array((await content?.arrayBuffer()) ?? new ArrayBuffer(0));
  }

  statusOf(recipient: ParticipantId, id = "f"): string | undefined {
    return this.state.own.get(id)?.recipients.find((each) => each.id === recipient)?.status;
  }
}

const isSame = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

afterEach(() => {
  vi.useRealTimers();
});

test("a file arrives whole, and nothing stays open", async () => {
  const room = new Room();
  const [ann, ben] = [room.enter("ann"), room.enter("ben")];
  const { offered, source } = ann.offer("f");
  ben.transfers.receive(offered);
  await ben.has("received");
  expect(isSame(await ben.content(), source)).toBe(true);
  await vi.waitFor(() => expect(ann.statusOf("ben")).toBe("received"));
  expect(room.network.open).toBe(0);
});

test("a broken connection goes on where it ended", { timeout: 30_000 }, async () => {
  const room = new Room();
  const [ann, ben] = [room.enter("ann"), room.enter("ben")];
  const { offered, source } = ann.offer("f");
  room.network.cutAt = SIZE / 3;
  ben.transfers.receive(offered);
  await ben.has("interrupted");
  await vi.waitFor(() => expect(ann.statusOf("ben")).toBe("interrupted"));
  room.network.restore();
  ben.transfers.wake();
  await ben.has("received");
  expect(isSame(await ben.content(), source)).toBe(true);
  // No more than the blocks that were on their way came twice.
  expect(room.network.delivered).toBeLessThan(SIZE * 1.4);
});

test("a recipient refuses, another cancels, and the sender hears of both", async () => {
  const room = new Room();
  const [ann, ben, cem] = [room.enter("ann"), room.enter("ben"), room.enter("cem")];
  const { offered } = ann.offer("f");
  ben.transfers.refuse(offered);
  cem.transfers.receive(offered);
  await cem.arrives();
  cem.transfers.cancel("f");
  await vi.waitFor(() => expect(ann.statusOf("ben")).toBe("refused"));
  await vi.waitFor(() => expect(ann.statusOf("cem")).toBe("cancelled"));
  await ben.has("refused");
  await cem.has("cancelled");
  expect(await cem.content()).toHaveLength(0);
  expect(room.network.open).toBe(0);
  // Both may change their minds.
  room.network.stopAt = Number.POSITIVE_INFINITY;
  ben.transfers.receive(offered);
  cem.transfers.receive(offered);
  await ben.has("received");
  await cem.has("received");
});

test("what is withdrawn, unknown or gone with its sender is unavailable", async () => {
  const room = new Room();
  const [ann, ben] = [room.enter("ann"), room.enter("ben")];
  const { offered } = ann.offer("f");
  ann.transfers.withdraw("f");
  ben.transfers.receive(offered);
  await ben.has("unavailable");
  ben.transfers.receive({ ...offered, file: { ...offered.file, id: "unknown" } });
  await ben.has("unavailable", "unknown");
  const { offered: second } = ann.offer("g");
  ben.transfers.receive(second);
  await ben.arrives("g");
  room.leave("ann");
  await ben.has("unavailable", "g");
  expect(room.network.open).toBe(0);
});

test("a sender serves some at a time, and the others in their turn", async () => {
  const room = new Room();
  const ann = room.enter("ann");
  const { offered, source } = ann.offer("f");
  const others = Array.from({ length: 9 }, (_, i) => room.enter(`p${i}`));
  for (const other of others) other.transfers.receive(offered);
  await vi.waitFor(() => {
    const waiting = others.filter(({ state }) => state.received.get("f")?.status === "waiting");
    expect(waiting.length).toBeGreaterThan(2);
  });
  for (const other of others) await other.has("received");
  for (const other of others) expect(isSame(await other.content(), source)).toBe(true);
}, 30_000);

test("bytes and signals of somebody else than the sender are not taken", async () => {
  const room = new Room();
  const [ann, ben, eve] = [room.enter("ann"), room.enter("ben"), room.enter("eve")];
  const { offered, source } = ann.offer("f");
  eve.offer("f");
  ben.transfers.receive(offered);
  ben.transfers.handleSignal({ from: "eve", file: "f", attempt: 1, state: "unavailable" });
  ben.transfers.handleWithdrawn("eve", "f");
  await ben.has("received");
  expect(isSame(await ben.content(), source)).toBe(true);
});

test("a file that its sender's disk no longer has is withdrawn", async () => {
  const room = new Room();
  const [ann, ben] = [room.enter("ann"), room.enter("ben")];
  const short = new Blob(["short"]);
  const source = { name: "gone.bin", size: 100, slice: short.slice.bind(short) };
  ben.transfers.receive(ann.share("f", source));
  await ben.has("unavailable");
  expect(ann.state.own.get("f")?.isWithdrawn).toBe(true);
});

test("a device without space says so, and can try again", async () => {
  const room = new Room();
  const memory = new MemoryStorage();
  let isFull = true;
  const storage: FileStorage = {
    open: async (id, size) => {
      if (isFull) throw new StorageError("space", "full");
      return memory.open(id, size);
    },
    content: (id) => memory.content(id),
    remove: (id) => memory.remove(id),
  };
  const [ann, ben] = [room.enter("ann"), room.enter("ben", storage)];
  const { offered } = ann.offer("f");
  ben.transfers.receive(offered);
  await ben.has("failed");
  expect(ben.state.received.get("f")?.failure).toBe("space");
  isFull = false;
  ben.transfers.receive(offered);
  await ben.has("received");
});

test("memory holds a bounded sum of files", async () => {
  const memory = new MemoryStorage();
  await memory.open("a", 100 << 20);
  await expect(memory.open("b", 100 << 20)).rejects.toThrow(StorageError);
  await memory.remove("a");
  await memory.open("b", 100 << 20);
});
