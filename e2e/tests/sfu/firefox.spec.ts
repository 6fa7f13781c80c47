import { test } from "../../support/test.ts";

test.use({ flags: ["--topology", "sfu"] });

// Firefox knows no redundant audio, which Chromium sends.
test("Chromium and Firefox see and hear each other at the media server", async ({
  open,
  company,
  firefox,
}) => {
  const ada = await open("Ada");
  const edith = await company.openFirefox("Edith", firefox);
  await ada.enter("two-at-server");
  await edith.enter("two-at-server");
  await ada.decodes(1);
  await edith.decodes(1);
});
