import { selectedPair, waitForCall } from "../../net/path.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";

requireNetworks();

test.use({ nat: "cone" });

test("clients behind cone NATs connect by STUN, without a relay", async ({ meet }) => {
  const people = await meet(["stun"]);
  await waitForCall(people);
  for (const person of people) {
    const { local, remote } = await selectedPair(person);
    expect([local.type, remote.type]).not.toContain("relay");
  }
});
