// Transport to the media server on an unrestricted network.

import { selectedPair, waitForSfuCall } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";

test.use({ flags: ["--topology", "sfu"] });

// The media server shares its address with STUN and TURN, so a browser could confuse their
// responses, and a connectivity check over TCP may be answered first.
test("media uses UDP without a relay if UDP is open", async ({ open }) => {
  const people = [];
  for (const name of ["Ada", "Grace", "Hedy"]) {
    people.push(await open(name, { observer: { camera: "small" } }));
  }
  for (const room of ["straight", "straight-again"]) {
    for (const person of people) await person.enter(room);
    await waitForSfuCall(people);
    for (const person of people) {
      const { local, remote } = await selectedPair(person);
      expect([local.protocol, remote.protocol]).toEqual(["udp", "udp"]);
      expect(local.type).not.toBe("relay");
    }
  }
});
