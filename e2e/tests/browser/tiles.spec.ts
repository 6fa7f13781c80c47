// A user's actions on one tile: swap, mute, volume, fit, full screen, and zoom of a screen.

import type { Locator, Page } from "@playwright/test";
import { PaperParticipant } from "../../support/people.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

const soundOf = (tile: Locator) =>
  tile.locator("video").evaluate((video: HTMLVideoElement) => ({
    isMuted: video.muted,
    volume: video.volume,
  }));

/** A finger that rests on the middle of an element, or two that move apart from there. */
async function touch(tile: Locator, moves: readonly (readonly [finger: number, x: number])[]) {
  await tile.evaluate((element, moves) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const send = (type: string, finger: number, by: number) =>
      element.dispatchEvent(
        new PointerEvent(type, {
          bubbles: true,
          pointerType: "touch",
          pointerId: 100 + finger,
          isPrimary: finger === 0,
          clientX: x + width / 2 + by,
          clientY: y + height / 2,
        }),
      );
    // There is no such pointer to capture.
    element.setPointerCapture = () => {};
    const fingers = new Set(moves.map(([finger]) => finger));
    for (const finger of fingers) {
      send("pointerdown", finger, fingers.size === 1 ? 0 : finger === 0 ? -20 : 20);
    }
    for (const [finger, by] of moves) send("pointermove", finger, by);
    if (moves.some(([, by]) => by !== 0))
      for (const finger of fingers) send("pointerup", finger, 0);
  }, moves);
}

async function fullScreenTestId(page: Page): Promise<string | null> {
  return page.evaluate(() => document.fullscreenElement?.getAttribute("data-testid") ?? null);
}

test("tiles swap, are muted, turned down and fitted for oneself, and screens are zoomed", async ({
  open,
}) => {
  const ada = await open("Ada", { context: { hasTouch: true, reducedMotion: "reduce" } });
  const grace = await open("Grace");
  const { page } = ada;
  await ada.enter("tiles");
  await grace.enter("tiles");
  await ada.decodes(1);

  // A tap on the floating tile swaps the two.
  const own = page.locator('[data-testid="tile"][data-self="true"]');
  const other = page.locator('[data-testid="tile"][data-name="Grace"]');
  const widthOf = async (tile: Locator) => (await tile.boundingBox())?.width ?? 0;
  expect(await widthOf(own)).toBeLessThan(330);
  await own.tap({ position: { x: 60, y: 120 } });
  await expect.poll(() => widthOf(own)).toBeGreaterThan(800);
  await other.tap({ position: { x: 60, y: 120 } });
  await expect.poll(() => widthOf(own)).toBeLessThan(330);

  // A long press opens the menu of a tile, as its button does.
  await touch(other, [[0, 0]]);
  await expect(page.getByTestId("mute-for-me")).toBeVisible();
  await page.getByTestId("mute-for-me").check();
  await expect(other.getByTestId("muted-for-me")).toBeVisible();
  expect(await soundOf(other)).toEqual({ isMuted: true, volume: 1 });
  await page.getByTestId("mute-for-me").uncheck();
  await page.getByTestId("tile-volume").fill("35");
  await page.getByTestId("tile-fit").check();
  await page.keyboard.press("Escape");
  expect(await soundOf(other)).toEqual({ isMuted: false, volume: 0.35 });
  await expect(other.locator("video")).toHaveCSS("object-fit", "contain");

  // Both are kept over a reload.
  await page.reload();
  await ada.decodes(1);
  expect(await soundOf(other)).toEqual({ isMuted: false, volume: 0.35 });
  await expect(other.locator("video")).toHaveCSS("object-fit", "contain");

  await other.tap({ position: { x: 60, y: 120 } });
  await other.getByTestId("tile-menu").click();
  await page.getByTestId("tile-full-screen").click();
  await expect.poll(() => fullScreenTestId(page)).toBe("tile");
  await page.evaluate(() => document.exitFullscreen());

  await grace.tab.click("toggle-screen");
  await seesScreenOf(ada, grace);
  const screen = page.getByTestId("screen-tile");
  const zoom = async () => Number(await screen.getAttribute("data-zoom"));
  const box = await screen.boundingBox();
  if (!box) throw new Error("no box");
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const picture = () => screen.locator("video").evaluate((video) => video.getBoundingClientRect());

  await page.mouse.move(x, y);
  for (let i = 0; i < 3; i++) await page.mouse.wheel(0, -100);
  await expect.poll(zoom).toBeGreaterThan(2);
  const zoomed = await zoom();
  await page.mouse.down();
  await page.mouse.move(x + 3000, y, { steps: 3 });
  await page.mouse.up();
  // Its left edge is at that of the tile, not inside it.
  expect(Math.abs((await picture()).x - box.x)).toBeLessThan(2);
  // The same part is shown when the tile changes size.
  await page.setViewportSize({ width: 1000, height: 700 });
  await expect.poll(async () => (await screen.boundingBox())?.width).toBeLessThan(box.width);
  expect(await zoom()).toBe(zoomed);
  await expect.poll(async () => Math.abs((await picture()).x - box.x)).toBeLessThan(2);
  await page.setViewportSize({ width: 1280, height: 800 });

  await screen.dblclick({ position: { x: 300, y: 200 } });
  await expect.poll(zoom).toBe(1);
  await screen.dblclick({ position: { x: 300, y: 200 } });
  await expect.poll(zoom).toBe(2.5);
  await screen.getByTestId("zoom-in").focus();
  await page.keyboard.press("0");
  await expect.poll(zoom).toBe(1);
  for (let i = 0; i < 8; i++) await page.keyboard.press("+");
  await expect.poll(zoom).toBe(8);
  await page.keyboard.press("ArrowLeft");
  await expect(screen.getByTestId("zoom-in")).toBeFocused();
  await page.keyboard.press("0");
  await touch(screen, [
    [0, -60],
    [1, 60],
  ]);
  await expect.poll(zoom).toBeCloseTo(3, 1);
  await page.keyboard.press("0");

  await screen.tap({ position: { x: 60, y: 120 } });
  await screen.getByTestId("tile-menu").click();
  await page.getByTestId("tile-full-screen").click();
  await expect.poll(() => fullScreenTestId(page)).toBe("screen-tile");
  await page.mouse.wheel(0, -100);
  await expect.poll(zoom).toBeGreaterThan(1);
  await page.evaluate(() => document.exitFullscreen());
});

test("the call pops out into a small window with its controls, on request and on a tab switch", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const { page } = ada;
  await page.addInitScript(() => {
    // `about:blank` has no media session of the page's.
    const session = navigator.mediaSession as MediaSession | undefined;
    if (!session) return;
    const set = session.setActionHandler.bind(session);
    session.setActionHandler = (action, handler) => {
      if ((action as string) === "enterpictureinpicture") {
        Object.assign(window, { popOut: handler });
      }
      set(action, handler);
    };
  });
  await ada.enter("pip");
  await grace.enter("pip");
  await ada.decodes(1);

  /** Something in the small window, which the page may read. */
  const pip = (read: "name" | "mic" | "frames" | "background") =>
    page.evaluate((read) => {
      const { documentPictureInPicture } = window as unknown as {
        documentPictureInPicture: { window: Window | null };
      };
      const root = documentPictureInPicture.window?.document.querySelector("[data-testid=pip]");
      if (!root) return null;
      switch (read) {
        case "name":
          return root.querySelector("[data-name]")?.getAttribute("data-name") ?? null;
        case "mic":
          return (
            root.querySelector("[data-testid=toggle-mic]")?.getAttribute("aria-pressed") ?? null
          );
        case "background":
          return getComputedStyle(root).backgroundColor;
        case "frames":
          return (root.querySelector("video")?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 2;
      }
    }, read);
  const press = (testId: string) =>
    page.evaluate((testId) => {
      const { documentPictureInPicture } = window as unknown as {
        documentPictureInPicture: { window: Window | null };
      };
      const button = documentPictureInPicture.window?.document.querySelector<HTMLElement>(
        `[data-testid=${testId}]`,
      );
      button?.click();
    }, testId);

  await page.getByTestId("open-more").click();
  await page.getByTestId("pop-out").click();
  await expect.poll(() => pip("name")).toBe("Grace");
  await expect.poll(() => pip("frames")).toBe(true);
  // The page's own styles, which its policy lets the window load.
  await expect.poll(() => pip("background")).toBe("rgb(227, 235, 231)");
  expect(await pip("mic")).toBe("true");
  await press("toggle-mic");
  await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  await expect.poll(() => pip("mic")).toBe("false");
  await page.getByTestId("open-more").click();
  await page.getByTestId("pop-out").click();
  await expect.poll(() => pip("name")).toBeNull();

  // A tab switch: the browser calls the handler, and the window closes on return.
  await page.getByTestId("toggle-mic").click();
  await page.evaluate(() => (window as unknown as { popOut: () => void }).popOut());
  await expect.poll(() => pip("name")).toBe("Grace");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect.poll(() => pip("name")).toBeNull();

  await page.getByTestId("open-more").click();
  await page.getByTestId("pop-out").click();
  await expect.poll(() => pip("name")).toBe("Grace");
  await press("pip-leave");
  await expect(page.getByTestId("call")).toHaveCount(0);
  await expect.poll(() => pip("name")).toBeNull();
});

test("a tile's menu stays at its button while tiles move, and closes when its person leaves", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  const join = (name: string) => PaperParticipant.join(server.url, "menus", name);
  const papers = [await join("Grace"), await join("Hedy")];
  await ada.enter("menus");
  await ada.remoteTiles(2);
  const button = page.locator('[data-testid="tile"][data-name="Grace"]').getByTestId("tile-menu");
  await button.focus();
  await page.keyboard.press("Enter");
  const menu = page.getByRole("dialog").filter({ has: page.getByTestId("mute-for-me") });
  await expect(menu).toBeVisible();
  /** The menu ends where its button does, up to a rounded pixel; and the space between them. */
  const distance = async () => {
    const [at, box] = [await button.boundingBox(), await menu.boundingBox()];
    if (!at || !box) return null;
    const across = Math.round(at.x + at.width - (box.x + box.width));
    const below = Math.round(box.y - (at.y + at.height));
    const above = Math.round(at.y - (box.y + box.height));
    return [Math.abs(across) <= 1, Math.max(below, above)];
  };
  await expect.poll(distance).toEqual([true, 8]);
  const before = await button.boundingBox();
  papers.push(await join("Mina"), await join("Rosa"));
  await ada.remoteTiles(4);
  await expect.poll(() => button.boundingBox()).not.toEqual(before);
  await expect.poll(distance).toEqual([true, 8]);
  await page.setViewportSize({ width: 1000, height: 700 });
  await expect.poll(distance).toEqual([true, 8]);
  papers[0]?.leave();
  await expect(menu).toHaveCount(0);
  for (const paper of papers.slice(1)) paper.leave();
});
