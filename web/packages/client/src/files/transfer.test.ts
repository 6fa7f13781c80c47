import { expect, test } from "vitest";
import { type Digest, digestOf, rootOf } from "./digest.ts";
import { FileReceiver } from "./file-receiver.ts";
import { FileSender, STALL_MS } from "./file-sender.ts";
import { BLOCK_BYTES, CHUNK_BYTES, write } from "./wire.ts";

const ID = "0123456789abcdef";

/** A seeded generator (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function bytesOf(size: number, random: () => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1 + Math.floor(random() * 64)) bytes[i] = random() * 256;
  return bytes;
}

/** The storage of a recipient: what is written outlives an attempt. */
class Disk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  digests: Digest[] = [];

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get stored(): number {
    return Math.min(this.bytes.length, this.digests.length * BLOCK_BYTES);
  }
}

interface World {
  now: number;
  random: () => number;
  source: Uint8Array<ArrayBuffer>;
  disk: Disk;
  /** Most bytes that were on their way or waited for the storage. */
  most: number;
}

type End = "finished" | "damaged" | "broken" | "stalled";

/** One attempt over a channel that delivers in order and breaks after `steps`. */
async function attempt(world: World, steps: number): Promise<End> {
  const { random, source, disk } = world;
  const size = source.length;
  const sender = new FileSender(ID, size, world.now);
  const receiver = new FileReceiver(ID, size, disk.stored, world.now);
  const toReceiver: (Uint8Array | string)[] = [];
  const toSender: string[] = [];
  const stores: { at: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  const digests: Digest[] = [];
  let senderIsDone = false;
  let buffered = 0;
  receiver.handleOpen(world.now);
  const block = (index: number) => source.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
  const actions: (() => Promise<End | null>)[] = [
    async () => {
      sender.handleBuffered(buffered);
      const step = sender.poll(world.now);
      if (!step) return null;
      if (step.do === "send") {
        buffered += step.bytes.length;
        toReceiver.push(step.bytes.slice());
      } else if (step.do === "say") toReceiver.push(step.text);
      else if (step.do === "read") sender.handleBlock(step.block, block(step.block));
      else if (step.do === "seal") {
        for (let i = 0; i * BLOCK_BYTES < size; i++) digests.push(await digestOf(block(i)));
        sender.handleRoot(await rootOf(digests));
      } else if (step.do === "finish") senderIsDone = true;
      else return step.reason === "damaged" ? "damaged" : "stalled";
      return null;
    },
    async () => {
      const step = receiver.poll();
      if (!step) return null;
      if (step.do === "say") toSender.push(step.text);
      else if (step.do === "store") stores.push({ at: step.at, bytes: step.bytes.slice() });
      else if (step.do === "verify") {
        receiver.handleVerified((await rootOf(disk.digests)) === step.root);
      } else if (step.do === "finish") {
        for (const text of toSender) sender.handleText(world.now, text);
        for (let rest = receiver.poll(); rest; rest = receiver.poll());
        expect(sender.poll(world.now)).toEqual({ do: "finish" });
        senderIsDone = true;
        return "finished";
      } else return step.reason === "damaged" ? "damaged" : "stalled";
      return null;
    },
    async () => {
      const message = toReceiver.shift();
      if (message === undefined) return null;
      if (typeof message === "string") receiver.handleText(world.now, message);
      else {
        buffered -= message.length;
        receiver.handleBytes(world.now, message);
      }
      return null;
    },
    async () => {
      const text = toSender.shift();
      if (text !== undefined) sender.handleText(world.now, text);
      return null;
    },
    async () => {
      const store = stores.shift();
      if (!store) return null;
      disk.bytes.set(store.bytes, store.at);
      disk.digests.push(await digestOf(store.bytes));
      receiver.handleStored();
      return null;
    },
  ];
  for (let i = 0; i < steps && !senderIsDone; i++) {
    world.now += random() * 3;
    const action = actions[Math.floor(random() * actions.length)];
    const end = await action?.();
    const onTheWay = toReceiver.reduce((sum, each) => sum + each.length, 0);
    world.most = Math.max(world.most, onTheWay + stores.length * BLOCK_BYTES);
    if (end) return end;
  }
  // The connection breaks: what is on its way is lost, what has arrived is stored.
  for (const store of stores) {
    disk.bytes.set(store.bytes, store.at);
    disk.digests.push(await digestOf(store.bytes));
  }
  return "broken";
}

test("what arrives equals what was sent, over any number of breaks", {
  timeout: 60_000,
}, async () => {
  const sizes = [0, 1, CHUNK_BYTES, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2_000_003];
  let breaks = 0;
  for (const [index, size] of sizes.entries()) {
    for (let seed = 1; seed <= 6; seed++) {
      const random = randomOf(seed * 100 + index);
      const source = bytesOf(size, random);
      const world: World = { now: 1_000, random, source, disk: new Disk(size), most: 0 };
      let end: End = "broken";
      for (let n = 0; end !== "finished"; n++) {
        expect(n, "attempts make progress").toBeLessThan(200);
        end = await attempt(world, 20 + Math.floor(random() * 250));
        if (end === "broken") breaks += 1;
        else expect(end).toBe("finished");
      }
      expect(world.disk.bytes.every((byte, i) => byte === source[i])).toBe(true);
      expect(world.most, "bounded").toBeLessThanOrEqual(6 * BLOCK_BYTES + (4 << 20));
    }
  }
  expect(breaks).toBeGreaterThan(40);
});

test("a recipient that finds other bytes than were sent says so at the end", async () => {
  const random = randomOf(7);
  const source = bytesOf(3 * BLOCK_BYTES, random);
  const disk = new Disk(source.length);
  // As after a crash: the first block was never written whole.
  disk.digests.push(await digestOf(new Uint8Array(BLOCK_BYTES)));
  const world: World = { now: 0, random, source, disk, most: 0 };
  expect(await attempt(world, 100_000)).toBe("damaged");
});

test("both ends fail after a while without progress, and not before", () => {
  const sender = new FileSender(ID, 10, 0);
  sender.handleText(5, write({ get: ID, from: 0 }));
  expect(sender.poll(5)).toEqual({ do: "read", block: 0 });
  sender.handleBlock(0, new Uint8Array(10));
  expect(sender.poll(6)).toMatchObject({ do: "send" });
  sender.handleTimeout(sender.timeout - 1);
  expect(sender.timeout).toBe(6 + STALL_MS);
  expect(sender.poll(sender.timeout - 1)).toEqual({ do: "seal" });
  sender.handleTimeout(sender.timeout);
  expect(sender.poll(100_000)).toEqual({ do: "fail", reason: "stalled" });

  const receiver = new FileReceiver(ID, 10, 0, 0);
  receiver.handleOpen(0);
  receiver.poll();
  receiver.handleTimeout(STALL_MS - 1);
  expect(receiver.poll()).toBeNull();
  receiver.handleTimeout(STALL_MS);
  expect(receiver.poll()).toEqual({ do: "fail", reason: "stalled" });
});

test("a sender sends no more than the recipient takes in", () => {
  const size = 64 << 20;
  const sender = new FileSender(ID, size, 0);
  sender.handleText(0, write({ get: ID, from: 0 }));
  let sent = 0;
  for (let step = sender.poll(1); step; step = sender.poll(1)) {
    if (step.do === "read") sender.handleBlock(step.block, new Uint8Array(BLOCK_BYTES));
    else if (step.do === "send") {
      sent += step.bytes.length;
      sender.handleBuffered(0);
    }
  }
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThanOrEqual(4 << 20);
});

test.each([
  ["nonsense", "hello"],
  ["another file", write({ get: "f".repeat(16), from: 0 })],
  ["a place beyond the end", write({ get: ID, from: BLOCK_BYTES * 9 })],
  ["a place between blocks", write({ get: ID, from: 7 })],
  ["a negative place", `{"get":"${ID}","from":-${BLOCK_BYTES}}`],
  ["an acknowledgement of nothing", write({ got: 1 })],
  ["the end of what was not sent", write({ done: true })],
  ["a root", write({ root: "a".repeat(64) })],
  ["a very long text", `{"got":0,"x":"${"x".repeat(10_000)}"}`],
])("a sender gives up on %s", (_, text) => {
  const sender = new FileSender(ID, 2 * BLOCK_BYTES, 0);
  sender.handleText(1, text);
  expect(sender.poll(1)).toEqual({ do: "fail", reason: "protocol" });
  expect(sender.poll(1)).toBeNull();
});

test("a recipient takes no byte more than it was promised", () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(11)]) {
    const receiver = new FileReceiver(ID, 10, 0, 0);
    receiver.handleBytes(1, bytes);
    expect(receiver.poll()).toEqual({ do: "fail", reason: "protocol" });
  }
  const early = new FileReceiver(ID, 10, 0, 0);
  early.handleText(1, write({ root: "a".repeat(64) }));
  expect(early.poll()).toEqual({ do: "fail", reason: "protocol" });
});

test("a recipient whose storage is slow acknowledges no more until it is less behind", () => {
  const receiver = new FileReceiver(ID, 100 * BLOCK_BYTES, 0, 0);
  const said = () => {
    const texts: string[] = [];
    for (let step = receiver.poll(); step; step = receiver.poll()) {
      if (step.do === "say") texts.push(step.text);
    }
    return texts;
  };
  for (let i = 0; i < 4; i++) receiver.handleBytes(1, new Uint8Array(BLOCK_BYTES));
  expect(said().at(-1)).toBe(write({ got: 4 * BLOCK_BYTES }));
  receiver.handleBytes(1, new Uint8Array(BLOCK_BYTES));
  receiver.handleBytes(1, new Uint8Array(BLOCK_BYTES));
  expect(said()).toEqual([]);
  receiver.handleStored();
  receiver.handleStored();
  expect(said()).toEqual([write({ got: 6 * BLOCK_BYTES })]);
});
