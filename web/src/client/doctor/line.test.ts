import { expect, test } from "vitest";
import { LARGE_EVERY, lineFacts, newLine, nextMessage, takeEcho } from "./line.ts";

/** Sends `count` messages, of which those that `drop` names are lost up, down or not at all. */
function transfer(count: number, drop: (index: number) => "up" | "down" | null) {
  const line = newLine();
  let reached = 0;
  for (let index = 0; index < count; index++) {
    const message = nextMessage(line, index * 10);
    const lost = drop(index);
    if (lost === "up") continue;
    reached += 1;
    if (lost === "down") continue;
    const echo = new ArrayBuffer(message.length + 4);
    new Uint8Array(echo).set(message);
    new DataView(echo).setUint32(message.length, reached);
    takeEcho(line, echo, index * 10 + 7);
  }
  return lineFacts(line);
}

test("a clean line has no loss", () => {
  const facts = transfer(400, () => null);
  expect(facts).toMatchObject({ sent: 380, arrived: 380, returned: 380 });
  expect(facts).toMatchObject({ largeSent: 20, largeReturned: 20, rttMs: 7, jitterMs: 0 });
});

test("loss is told apart by direction", () => {
  const isSmall = (index: number) => index % LARGE_EVERY === 0;
  const up = transfer(400, (index) => (isSmall(index) ? "up" : null));
  expect(up).toMatchObject({ sent: 380, arrived: 360, returned: 360 });
  const down = transfer(400, (index) => (isSmall(index) ? "down" : null));
  expect(down).toMatchObject({ sent: 380, arrived: 380, returned: 360 });
});

test("large messages are counted apart", () => {
  const isLarge = (index: number) => index % LARGE_EVERY === LARGE_EVERY - 1;
  const facts = transfer(400, (index) => (isLarge(index) ? "up" : null));
  expect(facts).toMatchObject({ sent: 380, arrived: 380, returned: 380, largeReturned: 0 });
});

test("an echo counts once, and a foreign one not at all", () => {
  const line = newLine();
  const message = nextMessage(line, 0);
  const echo = new ArrayBuffer(message.length + 4);
  new Uint8Array(echo).set(message);
  takeEcho(line, echo, 5);
  takeEcho(line, echo, 6);
  takeEcho(line, new ArrayBuffer(3), 6);
  const unknown = new ArrayBuffer(64);
  new DataView(unknown).setUint32(0, 99);
  takeEcho(line, unknown, 6);
  expect(lineFacts(line)).toMatchObject({ sent: 1, returned: 1 });
});

test("times are left out while the page was busy", () => {
  const line = newLine();
  const message = nextMessage(line, 0);
  const echo = new ArrayBuffer(message.length + 4);
  new Uint8Array(echo).set(message);
  takeEcho(line, echo, 400);
  expect(line.rtts).toEqual([]);
});
