import { test } from "../../support/test.ts";

test("Chromium and Firefox call each other, whoever comes first", async ({
  open,
  company,
  firefox,
}) => {
  const ada = await open("Ada");
  const grace = await company.openFirefox("Grace", firefox);
  await ada.enter("chromium-first");
  await grace.enter("chromium-first");
  await ada.decodes(1);
  await grace.decodes(1);

  await grace.enter("firefox-first");
  await ada.enter("firefox-first");
  await grace.decodes(1);
  await ada.decodes(1);
});
