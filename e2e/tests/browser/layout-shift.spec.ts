// Home and lobby shift nothing while they load: whoever is about to press something presses that.

import { fakeDevices } from "../../support/devices.ts";
import { shiftOnce, shiftsOf, watchShifts } from "../../support/layout-shift.ts";
import { createRoom } from "../../support/rooms.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";

declare global {
  interface Window {
    /** Places of the join button, from its first frame. */
    placesOfJoin: string[];
  }
}

const SIZES = [
  [390, 844],
  [844, 390],
  [768, 1024],
  [1440, 900],
] as const;

for (const locale of ["en-US", "ko-KR"]) {
  test(`home and lobby shift nothing while they load, in ${locale}`, async ({ open }) => {
    const grace = await open("Grace");
    await grace.enter("steady");
    for (const [width, height] of SIZES) {
      const ada = await open("Ada", { context: { locale, viewport: { width, height } } });
      const { page } = ada;
      await watchShifts(page);
      // Two cameras, so that a button to flip them comes once one is open.
      await fakeDevices(page, {
        cameras: ["front", "back"],
        facing: { front: "user", back: "environment" },
      });
      await page.goto(`${ada.url}/?name=Ada`);
      await expect(page.getByTestId("room-item")).toHaveCount(1);
      expect(await shiftsOf(page), `home at ${width}`).toEqual([]);
      await shiftOnce(page, "create-room");
      expect(await shiftsOf(page), `control of home at ${width}`).not.toEqual([]);
      await ada.openPreview("steady");
      await expect(page.getByTestId("join-without")).toBeVisible();
      await expect(page.getByTestId("flip-camera")).toBeVisible();
      await expect(page.getByTestId("choose-camera")).toHaveValue("front");
      await expect(page.getByRole("status").filter({ hasText: /1/ })).toBeVisible();
      expect(await shiftsOf(page), `lobby at ${width}`).toEqual([]);
      await shiftOnce(page, "join");
      expect(await shiftsOf(page), `control of the lobby at ${width}`).not.toEqual([]);
    }
  });
}

test("the lobby shifts nothing while the browser asks, nor once it is answered", async ({
  open,
}) => {
  for (const [width, height] of SIZES) {
    const ada = await open("Ada", { context: { viewport: { width, height } } });
    const { page } = ada;
    await watchShifts(page);
    await fakeDevices(page);
    await page.addInitScript(() => {
      if (!navigator.mediaDevices) return;
      window.devices.hanging = ["audio", "video"];
      navigator.permissions.query = async ({ name }) =>
        Object.assign(new EventTarget(), { state: "prompt", name }) as PermissionStatus;
    });
    await page.goto(ada.previewUrl("asked"));
    const question = page.getByTestId("will-ask");
    await expect(question).toContainText("Press Allow");
    const { isWhole } = await question.evaluate(({ scrollHeight, clientHeight }) => ({
      isWhole: scrollHeight <= clientHeight,
    }));
    expect(isWhole, `question at ${width}`).toBe(true);
    await expect(page.getByTestId("join")).toHaveText("Join now");
    await expect(page.getByText("joining opens it")).toBeVisible();
    await takeScreenshots(page, "lobby-asked", [{ width, height }]);
    const before = await page.getByTestId("join").boundingBox();
    await page.evaluate(() => window.devices.resolvePending());
    await ada.waitForPreview();
    await expect(question).toHaveCount(0);
    expect(await page.getByTestId("join").boundingBox()).toEqual(before);
    expect(await shiftsOf(page), `lobby at ${width}`).toEqual([]);
  }
});

for (const listed of [true, false]) {
  const kind = listed ? "listed" : "unlisted";
  test(`the lobby of a locked ${kind} room asks for its password and shifts nothing`, async ({
    open,
    server,
  }) => {
    await createRoom(server.url, { name: "vault", password: "sesame", listed });
    for (const [width, height] of SIZES) {
      const ada = await open("Ada", { context: { viewport: { width, height } } });
      const { page } = ada;
      await watchShifts(page);
      await page.addInitScript(() => {
        window.placesOfJoin = [];
        const look = () => {
          const join = document.querySelector("[data-testid=join]");
          if (join?.checkVisibility({ visibilityProperty: true })) {
            const { x, y } = join.getBoundingClientRect();
            window.placesOfJoin.push(`${x} ${y + scrollY}`);
          }
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
      await page.goto(ada.previewUrl("vault"));
      const password = page.getByLabel("Room password");
      await expect(password).toBeVisible();
      await expect(page.getByTestId("join")).toBeVisible();
      // It exists, so nobody creates it.
      await expect(page.getByRole("status").first()).toHaveText(
        listed ? /No one is here/ : "Password required",
      );
      await takeScreenshots(page, `lobby-locked-${kind}`, [{ width, height }]);
      await ada.waitForPreview();
      expect(await shiftsOf(page), `lobby at ${width}`).toEqual([]);
      const places = await page.evaluate(() => window.placesOfJoin);
      expect(new Set(places).size, `places of the button at ${width}: ${places}`).toBe(1);
      if (width !== SIZES.at(-1)?.[0]) continue;
      await password.fill("sesame");
      await page.getByTestId("join").click();
      await ada.ownTile();
    }
  });
}

test("the lobby of a room without a password, and of a new one, has no field for it", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "plain", listed: false });
  const ada = await open("Ada");
  for (const room of ["plain", "nowhere"]) {
    await ada.page.goto(ada.previewUrl(room));
    await expect(ada.page.getByTestId("join")).toBeVisible();
    await expect(ada.page.getByTestId("room-password")).toHaveCount(0);
  }
});

test("the settings keep their place and height from tab to tab", async ({ open }) => {
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  await ada.enter("settings");
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await page.keyboard.press("?");
    const settings = page.getByTestId("settings");
    await expect(settings).toBeVisible();
    const places = new Set<string>();
    for (const tab of ["media", "notices", "access", "language", "shortcuts"]) {
      await page.getByTestId(`settings-${tab}`).click();
      await expect(page.getByTestId(`settings-${tab}`)).toHaveAttribute("aria-selected", "true");
      const box = await settings.evaluate((dialog) => {
        const { top, height } = dialog.getBoundingClientRect();
        return `${top} ${height}`;
      });
      places.add(box);
    }
    expect([...places], `settings at ${width}`).toHaveLength(1);
    await page.keyboard.press("Escape");
    await expect(settings).toHaveCount(0);
  }
});
