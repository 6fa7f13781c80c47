import { expect, test } from "vitest";
import { LARGE_EVERY, newEchoLog, nextMessage, pathFacts, takeEcho } from "./echo-log.ts";

/** Sends `count` messages, of which those that `drop` names are lost up, down or not at all. */
function transfer(count: number, drop: (index: number) => "up" | "down" | null) {
  const log = newEchoLog();
  let reached = 0;
  for (let index = 0; index < count; index++) {
    const message = nextMessage(log, index * 10);
    const lost = drop(index);
    if (lost === "up") continue;
    reached += 1;
    if (lost === "down") continue;
    const echo = new ArrayBuffer(message.length + 4);
    new Uint8Array(echo).set(message);
    new DataView(echo).setUint32(message.length, reached);
    takeEcho(log, echo, index * 10 + 7);
  }
  return pathFacts(log);
}

test("a clean path has no loss", () => {
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
  const log = newEchoLog();
  const message = nextMessage(log, 0);
  const echo = new ArrayBuffer(message.length + 4);
  new Uint8Array(echo).set(message);
  takeEcho(log, echo, 5);
  takeEcho(log, echo, 6);
  takeEcho(log, new ArrayBuffer(3), 6);
  const unknown = new ArrayBuffer(64);
  new DataView(unknown).setUint32(0, 99);
  takeEcho(log, unknown, 6);
  expect(pathFacts(log)).toMatchObject({ sent: 1, returned: 1 });
});

test("times are left out while the page was busy", () => {
  const log = newEchoLog();
  const message = nextMessage(log, 0);
  const echo = new ArrayBuffer(message.length + 4);
  new Uint8Array(echo).set(message);
  takeEcho(log, echo, 400);
  expect(log.rtts).toEqual([]);
});
