// Sign-in of hosts at a real OpenID provider.

import { expectAccessible } from "../../support/accessibility.ts";
import { OpenIdProvider } from "../../support/openid-provider.ts";
import { test as base, expect } from "../../support/test.ts";

const test = base.extend<{ provider: OpenIdProvider }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
  provider: async ({}, use) => {
    const provider = await OpenIdProvider.listen();
    await use(provider);
    await provider.stop();
  },
  flags: async ({ provider }, use) => {
    await use([...provider.flags, "--create", "signed-in", "--list", "signed-in"]);
  },
});

test("a host signs in and opens a room, a guest joins without an account, the host signs out", async ({
  open,
  provider,
  server,
}) => {
  provider.register(server.url);
  // The provider's pages ask for a font.
  const allow = [/request to another host: https:\/\/fonts\.googleapis\.com/];
  const ada = await open("Ada", { server: provider.issuer, allow });
  const { page } = ada;
  await page.route("https://fonts.googleapis.com/**", (route) =>
    route.fulfill({ contentType: "text/css", body: "" }),
  );
  const at = (id: string) => page.getByTestId(id);

  // Where a failed sign-in leads: the reason is told once.
  await page.goto(`${server.url}/?sign-in=away`);
  await expect(at("sign-in-error")).toContainText("can't be reached");
  await expect(page).toHaveURL(`${server.url}/`);
  await expect(at("room-list")).toHaveCount(0);

  // Nobody opens a room without signing in; the form leads there.
  await at("new-room-name").fill("algebra");
  await at("create-room").click();
  await expect(at("error")).toContainText("signed in");
  await expectAccessible(page);
  await at("error").getByTestId("sign-in").click();
  await page.locator("input[name=login]").fill("Ada");
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(at("person")).toHaveText("Signed in as Ada Lovelace");
  await expectAccessible(page);

  await ada.createRoom("algebra");
  await ada.waitForPreview();
  await ada.join();
  const hedy = await open("Hedy");
  await hedy.enter("algebra");
  await ada.decodes(1);

  await page.goto(server.url);
  await expect(at("room-item")).toContainText("algebra");
  await at("sign-out").click();
  // At the provider, too, which leads back.
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await expect(page).toHaveURL(`${server.url}/`);
  await expect(at("sign-in")).toBeVisible();
  await expect(at("room-list")).toHaveCount(0);
  const cookies = await page.context().cookies(server.url);
  expect(cookies.filter(({ name }) => name.startsWith("moim"))).toEqual([]);
  // Whoever comes next to this computer is asked who it is.
  await at("sign-in").click();
  await expect(page.locator("input[name=login]")).toBeVisible();
});
