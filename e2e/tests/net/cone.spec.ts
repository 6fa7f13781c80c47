import { waitForCall } from "../../net/path.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { test } from "../../net/test.ts";
import { expectPair, type SelectedPair } from "../../support/selected-pair.ts";

requireNetworks();

test.use({ nat: "cone" });

test("clients behind cone NATs connect by STUN, without a relay", async ({ meet }) => {
  const people = await meet(["stun"]);
  await waitForCall(people);
  for (const person of people) {
    const isRelayed = ({ local, remote }: SelectedPair) =>
      [local.type, remote.type].includes("relay");
    await expectPair(person, isRelayed, false);
  }
});
