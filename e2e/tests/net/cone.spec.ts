import { path, talk } from "../../net/path.ts";
import { needNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";

needNetworks();

test.use({ nat: "cone" });

test("behind cone NATs our STUN is enough, and nothing is relayed", async ({ meet }) => {
  const people = await meet(["stun"]);
  await talk(people);
  for (const person of people) {
    const { local, remote } = await path(person);
    expect([local.type, remote.type]).not.toContain("relay");
  }
});
