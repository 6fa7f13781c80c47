// Transport to the media server on an unrestricted network.

import { expectPair } from "../../support/selected-pair.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { test } from "../../support/test.ts";

test.use({ flags: ["--topology", "sfu"] });

// The media server shares its address with STUN and TURN, so a browser could confuse their
// responses.
test("media uses UDP without a relay if UDP is open", async ({ open }) => {
  const people = [];
  for (const name of ["Ada", "Grace", "Hedy"]) {
    people.push(await open(name, { observer: { camera: "small" } }));
  }
  for (const room of ["straight", "straight-again"]) {
    for (const person of people) await person.enter(room);
    await waitForSfuCall(people);
    for (const person of people) {
      await expectPair(
        person,
        ({ local, remote }) => [local.protocol, remote.protocol, local.type === "relay"],
        ["udp", "udp", false],
      );
    }
  }
});
