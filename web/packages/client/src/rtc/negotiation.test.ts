import { describe, expect, test } from "vitest";
import { FakePeer } from "../testing/peer.ts";
import { Scheduler } from "../testing/scheduler.ts";
import { Negotiation, type Signal } from "./negotiation.ts";

/** Runs a test with 300 seeds, each of which determines the order of events. */
function inAnyOrder(name: string, run: (seed: number) => Promise<void>): void {
  test(name, async () => {
    for (let seed = 0; seed < 300; seed++) {
      await run(seed).catch((cause) => {
        throw new Error(`seed ${seed}: ${cause}`, { cause });
      });
    }
  });
}

interface Pair {
  world: Scheduler;
  polite: End;
  impolite: End;
}

interface End {
  peer: FakePeer;
  negotiation: Negotiation;
  errors: unknown[];
}

function pair(seed: number, times = 1): Pair {
  const world = new Scheduler(seed);
  const ends = {} as { polite: End; impolite: End };
  const end = (name: "polite" | "impolite", other: "polite" | "impolite"): End => {
    const peer = new FakePeer(world, name);
    const errors: unknown[] = [];
    const negotiation = new Negotiation({
      peer: peer.asPeer,
      polite: name === "polite",
      send: (signal) => {
        for (let i = 0; i < times; i++) deliver(name, other, signal);
      },
      onError: (error) => errors.push(error),
    });
    return { peer, negotiation, errors };
  };
  const deliver = (from: string, to: "polite" | "impolite", signal: Signal) =>
    world.queue(`net:${from}`, () => void ends[to].negotiation.handle(structuredClone(signal)));
  ends.polite = end("polite", "impolite");
  ends.impolite = end("impolite", "polite");
  return { world, ...ends };
}

function expectAgreement({ polite, impolite }: Pair): void {
  for (const { peer } of [polite, impolite]) {
    expect(peer.signalingState).toBe("stable");
    expect(peer.isStuck).toBe(false);
  }
  const mids = (end: End) => end.peer.transceivers.map(({ mid }) => mid).sort();
  expect(mids(polite)).toEqual(mids(impolite));
  expect(mids(polite)).not.toContain(null);
  for (const [here, there] of [
    [polite, impolite],
    [impolite, polite],
  ] as const) {
    const remote = here.peer.remoteDescription?.sdp;
    expect(remote).toContain(`a=ice-ufrag:${there.peer.ufrag}\r\n`);
  }
}

describe("negotiation in any order", () => {
  inAnyOrder("one end opens", async (seed) => {
    const call = pair(seed);
    call.impolite.peer.addTransceiver("audio");
    call.impolite.peer.addTransceiver("video");
    await call.world.run();
    expectAgreement(call);
    expect([...call.polite.errors, ...call.impolite.errors]).toEqual([]);
    // Both candidates of each end are added, also those sent before the description.
    expect(call.polite.peer.addedUfrags).toHaveLength(2);
    expect(call.impolite.peer.addedUfrags).toHaveLength(2);
    expect(call.impolite.peer.offerCount).toBe(1);
  });

  inAnyOrder("both ends open at once", async (seed) => {
    const call = pair(seed);
    call.polite.peer.addTransceiver("audio");
    call.impolite.peer.addTransceiver("audio");
    await call.world.run();
    expectAgreement(call);
    expect([...call.polite.errors, ...call.impolite.errors]).toEqual([]);
    expect(call.polite.peer.transceivers).toHaveLength(2);
  });

  inAnyOrder("both ends restart repeatedly", async (seed) => {
    const call = pair(seed);
    call.impolite.peer.addTransceiver("audio");
    for (let i = 0; i < 6; i++) {
      await call.world.run(call.world.below(12));
      const end = call.world.below(2) === 0 ? call.polite : call.impolite;
      void end.negotiation.restart();
    }
    const before = call.impolite.peer.ufrag;
    await call.world.run();
    expectAgreement(call);
    void call.polite.negotiation.restart();
    await call.world.run();
    expectAgreement(call);
    expect(call.impolite.peer.ufrag).not.toBe(before);
    expect(call.polite.peer.addedUfrags.at(-1)).toBe(call.impolite.peer.ufrag);
  });

  inAnyOrder("an end restarts before it received the first offer", async (seed) => {
    const call = pair(seed);
    call.impolite.peer.addTransceiver("audio");
    void call.polite.negotiation.restart();
    await call.world.run(call.world.below(12));
    void call.polite.negotiation.restart();
    await call.world.run();
    expectAgreement(call);
    expect([...call.polite.errors, ...call.impolite.errors]).toEqual([]);
  });

  inAnyOrder("every signal is delivered twice", async (seed) => {
    const call = pair(seed, 2);
    call.polite.peer.addTransceiver("audio");
    call.impolite.peer.addTransceiver("audio");
    await call.world.run(call.world.below(40));
    void call.impolite.negotiation.restart();
    await call.world.run();
    expectAgreement(call);
    expect([...call.polite.errors, ...call.impolite.errors]).toEqual([]);
  });

  inAnyOrder("signals in transit are lost and one end restarts", async (seed) => {
    const call = pair(seed);
    call.impolite.peer.addTransceiver("audio");
    if (seed % 2 === 0) call.polite.peer.addTransceiver("audio");
    for (let i = 0; i < 3; i++) {
      await call.world.run(call.world.below(15));
      call.world.drop("net:");
      // An end that never received an offer has nothing to restart.
      const canRestart = call.polite.peer.transceivers.length > 0;
      const end = canRestart && call.world.below(2) === 0 ? call.polite : call.impolite;
      void end.negotiation.restart();
    }
    await call.world.run();
    expectAgreement(call);
  });
});

test("an invalid description is reported, and the next one is applied", async () => {
  const call = pair(1);
  void call.polite.negotiation.handle({ description: { type: "answer", sdp: "nonsense" } });
  void call.polite.negotiation.handle({
    candidate: { candidate: "candidate:x", usernameFragment: "never" },
  });
  call.impolite.peer.addTransceiver("audio");
  await call.world.run();
  expectAgreement(call);
});

test("a closed negotiation sends nothing", async () => {
  const call = pair(1);
  call.impolite.peer.addTransceiver("audio");
  call.impolite.negotiation.close();
  await call.world.run();
  expect(call.polite.peer.remoteDescription).toBeNull();
});
