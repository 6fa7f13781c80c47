// The client library as a package: the example application holds calls with moim's own page.

import { ExampleApp, joinByForm, playsOneOther, press, says } from "../../support/example-app.ts";
import { createRoom } from "../../support/rooms.ts";
import { Server } from "../../support/server.ts";
import { test as base, expect } from "../../support/test.ts";
import { until } from "../../support/until.ts";

// biome-ignore lint/complexity/noBannedTypes: it adds no fixture of a test.
const test = base.extend<{}, { app: ExampleApp }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
    async ({}, use) => {
      const app = await ExampleApp.start();
      await use(app);
      await app.close();
    },
    { scope: "worker", timeout: 300_000 },
  ],
});

/** Firefox's monitor knows the page's host alone. */
const OTHER_HOST = [/request to another host|ICE server on another host/];

for (const topology of ["mesh", "sfu"] as const) {
  test.describe(`in a room of topology ${topology}`, () => {
    test.use({ flags: ["--topology", topology] });

    for (const browser of ["Chromium", "Firefox"] as const) {
      test(`the example in ${browser} and the page hear and see each other`, async ({
        app,
        open,
        pool,
        firefox,
        server,
      }) => {
        const ada = await open("Ada");
        await ada.enter("tea");
        const kiosk =
          browser === "Chromium"
            ? await open("Kiosk", { url: app.origin(), server: server.url })
            : await pool.openFirefox("Kiosk", firefox, {}, app.origin(), OTHER_HOST);
        await kiosk.tab.goto(app.address(server.url));
        await joinByForm(kiosk.tab, "tea", "Kiosk");
        await playsOneOther(kiosk.tab);
        await ada.decodes(1);
        expect((await ada.remoteTiles(1))[0]?.name).toBe("Kiosk");

        await press(kiosk.tab, "microphone");
        await until("the page to tell that the example is muted", async () => {
          const seen = await ada.tab.evaluate(() =>
            document.querySelector('[data-name="Kiosk"]')?.getAttribute("aria-label"),
          );
          return { done: /muted|microphone off/i.test(seen ?? "") || undefined, seen };
        });
        await press(kiosk.tab, "leave");
        await ada.remoteTiles(0);
        await says(kiosk.tab, /^You left\.$/);
      });
    }
  });
}

test("the example tells a rejected join in words, with its code", async ({ app, open, server }) => {
  await createRoom(server.url, { name: "closed", password: "sesame" });
  const kiosk = await open("Kiosk", { url: app.origin(), server: server.url });
  await kiosk.tab.goto(app.address(server.url));
  await joinByForm(kiosk.tab, "closed", "Kiosk");
  await says(kiosk.tab, /\(password_required\)$/);
});

test("a page of another site joins once its origin is allowed", async ({ app, open, server }) => {
  const host = "calls.localhost";
  const allow = [/console: .*(403|WebSocket|CORS|ERR_FAILED)/];
  const outside = await open("Outside", { url: app.origin(host), server: server.url, allow });
  await outside.tab.goto(app.address(server.url, host));
  await joinByForm(outside.tab, "tea", "Outside");
  await says(outside.tab, /\(unreachable\)$/);

  const allowing = await Server.start({ flags: ["--origin", app.origin(host)] });
  try {
    const allow = [/WebSocket|ERR_CONNECTION/]; // this server stops before the pages close
    const inside = await open("Inside", { url: app.origin(host), server: allowing.url, allow });
    await inside.tab.goto(app.address(allowing.url, host));
    await joinByForm(inside.tab, "tea", "Inside");
    const ada = await open("Ada", { url: allowing.url, allow });
    await ada.enter("tea");
    await ada.decodes(1);
    await playsOneOther(inside.tab);
    // What one server knows this browser by is no other's.
    const keys = await inside.tab.evaluate(() => Object.keys(localStorage));
    expect(keys).toEqual([`moim ${allowing.url}.device`]);
  } finally {
    await allowing.stop();
  }
});
