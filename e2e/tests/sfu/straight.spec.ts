// By which way a page reaches the media server on a network that lets everything pass.

import { meetAtServer, wayOf } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";

test.use({ flags: ["--topology", "sfu"] });

// The media server has one address with STUN and TURN, where a browser may take answers of the one for
// answers of the others; and over TCP a check may be answered first.
test("where UDP is open, media goes over UDP and by no relay", async ({ open }) => {
  const people = [];
  for (const name of ["Ada", "Grace", "Hedy"]) {
    people.push(await open(name, { observer: { camera: "small" } }));
  }
  for (const room of ["straight", "straight-again"]) {
    for (const person of people) await person.enter(room);
    await meetAtServer(people);
    for (const person of people) {
      const { local, remote } = await wayOf(person);
      expect([local.protocol, remote.protocol]).toEqual(["udp", "udp"]);
      expect(local.type).not.toBe("relay");
    }
  }
});
