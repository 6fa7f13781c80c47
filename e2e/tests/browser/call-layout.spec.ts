// Boxes of the call view, on the built page: its bundle decides the order of styles.

import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "../../support/accessibility.ts";
import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";
import { SIZES } from "../../support/whole.ts";

/** Sizes at which crowds are measured. */
const SOME_SIZES = [
  [1280, 800],
  [390, 844],
  [667, 331],
] as const;

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

async function boxOf(place: Locator): Promise<Box> {
  const box = await place.boundingBox();
  if (!box) throw new Error("no box");
  return box;
}

/** Discs of avatars with their tiles, all measured at once. */
const discs = (page: Locator) =>
  page.evaluateAll((tiles) =>
    tiles.map((tile) => {
      const disc = tile.querySelector('[class*="avatar"][class*="tone"]');
      const { width, height, x, y } = tile.getBoundingClientRect();
      const inner = disc?.getBoundingClientRect();
      return {
        share: (inner?.width ?? 0) / Math.min(width, height),
        roundness: (inner?.width ?? 0) - (inner?.height ?? 0),
        offX: (inner?.x ?? 0) + (inner?.width ?? 0) / 2 - x - width / 2,
        offY: (inner?.y ?? 0) + (inner?.height ?? 0) / 2 - y - height / 2,
      };
    }),
  );

/** Boxes of the controls, and by how much the page is wider than the window. */
const controls = (page: Page) =>
  page.getByRole("group", { name: "Call controls" }).evaluate((group) => ({
    boxes: [...group.querySelectorAll("button")].map((button) => {
      const { x, y, width, height } = button.getBoundingClientRect();
      return { x, y, width, height };
    }),
    overflow: document.documentElement.scrollWidth - innerWidth,
  }));

test("every control is whole at every size, and discs, toasts, chat and hands keep their places", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "boxes", capacity: 40 });
  // Boxes are measured, so nothing may be on its way to its place.
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  await ada.enter("boxes");
  const papers: PaperParticipant[] = [];
  const add = async (count: number) => {
    while (papers.length < count) {
      const name = papers.length === 0 ? "W".repeat(64) : `Person ${papers.length}`;
      papers.push(await PaperParticipant.join(server.url, "boxes", name));
    }
    await ada.remoteTiles(count);
  };

  for (const others of [1, 2, 8, 30]) {
    await add(others);
    for (const [width, height] of others === 1 ? [...SIZES, [568, 288]] : SOME_SIZES) {
      await page.setViewportSize({ width, height });
      const at = `${others} others at ${width} × ${height}`;
      const tiles = page.locator('[data-testid="tile"][data-self="false"]');
      await expect
        .poll(async () => (await discs(tiles)).every(({ share }) => share > 0 && share <= 0.41), at)
        .toBe(true);
      for (const { roundness, offX, offY } of await discs(tiles)) {
        expect(Math.abs(roundness), at).toBeLessThanOrEqual(1);
        expect(Math.max(Math.abs(offX), Math.abs(offY)), at).toBeLessThanOrEqual(2);
      }
      const { boxes, overflow } = await controls(page);
      expect(boxes, at).toHaveLength(width >= 760 && height >= 481 ? 11 : 5);
      for (const box of boxes) {
        expect(Math.min(box.width, box.height), at).toBeGreaterThanOrEqual(44);
        expect(Math.min(box.x, box.y), at).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width, at).toBeLessThanOrEqual(width);
        expect(box.y + box.height, at).toBeLessThanOrEqual(height);
      }
      expect(overflow, at).toBeLessThanOrEqual(0);
    }
  }

  // The first Tab leads to the controls, and the tiles are one stop.
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("heading", { level: 1 }).focus();
  await page.keyboard.press("Tab");
  await expect(page.getByTestId("toggle-mic")).toBeFocused();
  await expect(page.locator('[data-testid="pin"][tabindex="0"]')).toHaveCount(1);

  const [first, second, third] = papers as [PaperParticipant, PaperParticipant, PaperParticipant];
  const hands = page.getByTestId("tile-hand");
  await third.raiseHand(true);
  await expect(hands).toHaveText(["1"]);
  await second.raiseHand(true);
  await expect(hands).toHaveText(["2", "1"]);
  await page.getByTestId("toggle-hand").click();
  await expect(hands).toHaveText(["2", "1", "3"]);
  await third.raiseHand(false);
  await expect(hands).toHaveText(["1", "2"]);
  await second.send("reaction", { emoji: "🎉" });
  await expect(page.getByTestId("reaction")).toHaveText("🎉");
  await page.getByTestId("open-reactions").click();
  await page.locator('[data-emoji="👍"]').click();
  await expect(page.getByTestId("reaction")).toHaveText(["🎉", "👍"]);

  await first.write("A long message. ".repeat(120));
  // Not one of the hands that is about to go.
  const toast = page.getByTestId("toast").filter({ hasText: "A long message" });
  await expect(toast).toBeVisible();
  const box = await boxOf(toast);
  expect(box.height).toBeLessThanOrEqual(64);
  expect(box.width).toBeLessThanOrEqual(360);
  const goneAfter = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const onClick = () => {
          const clickedAt = performance.now();
          const look = () => {
            const isThere = document.querySelector("[data-testid=toast]") !== null;
            if (isThere) requestAnimationFrame(look);
            else resolve(performance.now() - clickedAt);
          };
          look();
        };
        addEventListener("click", onClick, { capture: true, once: true });
      }),
  );
  await toast.click();
  expect(await goneAfter, "ms from opening the chat until the toasts are gone").toBeLessThan(200);
  await expect(page.getByTestId("chat-input")).toBeFocused();

  // The newest message stays in sight when the log gets lower or narrower.
  const log = page.getByRole("log");
  const belowView = () =>
    log.evaluate(({ scrollHeight, scrollTop, clientHeight }) =>
      Math.round(scrollHeight - scrollTop - clientHeight),
    );
  for (const [width, height] of [
    [1280, 800],
    [1280, 500],
    [390, 844],
    [390, 544],
    [844, 390],
  ] as const) {
    await page.setViewportSize({ width, height });
    await expect.poll(belowView, `${width} × ${height}`).toBeLessThanOrEqual(1);
    // Somebody stays in sight above it or beside it.
    await expect(page.getByTestId("tile").first()).toBeInViewport();
  }
  await log.evaluate(
    (log) =>
      new Promise((resolve) => {
        log.addEventListener("scroll", resolve, { once: true });
        log.scrollTo(0, 0);
      }),
  );
  await page.setViewportSize({ width: 1280, height: 600 });
  await expect.poll(() => log.evaluate(({ scrollTop }) => scrollTop)).toBe(0);
  await page.keyboard.press("Escape");

  // A pinned tile says so, and a view that is chosen is shown.
  await page.getByRole("button", { name: "Pin Person 1", exact: true }).click();
  const large = page.locator('[data-testid="tile"][data-large="true"]');
  await expect(large).toHaveAttribute("data-name", "Person 1");
  const before = await boxOf(large);
  const scroller = page.getByRole("list", { name: "People in the call" }).locator("..");
  await scroller.evaluate((place) => place.scrollTo(0, place.scrollHeight));
  await expect.poll(() => boxOf(large)).toEqual(before);
  await page.getByTestId("toggle-view").click();
  await page.getByTestId("toggle-view").click();
  await expect(large).toHaveCount(0);

  await page.emulateMedia({ forcedColors: "active" });
  const borders = await page
    .getByRole("group", { name: "Call controls" })
    .getByRole("button")
    .evaluateAll((buttons) => buttons.map((button) => getComputedStyle(button).borderTopWidth));
  expect(borders.every((width) => Number.parseFloat(width) >= 1)).toBe(true);
  const groundOf = (testId: string) =>
    page.getByTestId(testId).evaluate((button) => getComputedStyle(button).backgroundColor);
  const on = await groundOf("toggle-mic");
  await page.getByTestId("toggle-mic").click();
  await expect.poll(() => groundOf("toggle-mic")).not.toBe(on);
  await page.emulateMedia({ forcedColors: null });
  await expectAccessible(page);
  for (const paper of papers) paper.leave();
});

test("of two, the other fills the stage; one's own picture moves, hides and comes back", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  await ada.enter("pair");
  const grace = await PaperParticipant.join(server.url, "pair", "Grace");
  await ada.remoteTiles(1);
  const other = page.locator('[data-testid="tile"][data-self="false"]');
  const own = page.locator('[data-testid="tile"][data-self="true"]');
  const stage = await boxOf(page.getByRole("list", { name: "People in the call" }));
  const area = ({ width, height }: Box) => width * height;
  await expect.poll(async () => area(await boxOf(other)) / area(stage)).toBeGreaterThanOrEqual(0.8);
  const corner = async () => {
    const { x, y, width, height } = await boxOf(own);
    const isEnd = x + width / 2 > stage.x + stage.width / 2;
    const isBottom = y + height / 2 > stage.y + stage.height / 2;
    return `${isBottom ? "bottom" : "top"} ${isEnd ? "end" : "start"}`;
  };
  await expect.poll(corner).toBe("bottom end");
  await own.getByTestId("hide-self").focus();
  await page.keyboard.press("ArrowUp");
  await expect.poll(corner).toBe("top end");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(corner).toBe("top start");

  const { x, y } = await boxOf(own);
  await page.mouse.move(x + 30, y + 80);
  await page.mouse.down();
  await page.mouse.move(x + 700, y + 560, { steps: 4 });
  await page.mouse.up();
  await expect.poll(corner).toBe("bottom end");

  await own.getByTestId("hide-self").click();
  await expect(own).toHaveCount(0);
  await page.getByTestId("show-self").click();
  await expect(own).toHaveCount(1);
  grace.leave();
});

/** The part of a picture that its tile shows, in parts of its width and height. */
const shownPart = (tile: Locator) =>
  tile.evaluate((tile) => {
    const video = tile.querySelector("video");
    if (!video || video.videoWidth === 0) throw new Error("no picture");
    const { videoWidth, videoHeight } = video;
    const { objectFit, objectPosition } = getComputedStyle(video);
    const box = video.getBoundingClientRect();
    const place = tile.getBoundingClientRect();
    const scales = [box.width / videoWidth, box.height / videoHeight];
    if (!["contain", "cover"].includes(objectFit)) throw new Error(objectFit);
    const scale = objectFit === "cover" ? Math.max(...scales) : Math.min(...scales);
    const [x = 50, y = 50] = objectPosition.split(" ").map(Number.parseFloat);
    const width = videoWidth * scale;
    const height = videoHeight * scale;
    const pictureLeft = box.left + ((box.width - width) * x) / 100;
    const pictureTop = box.top + ((box.height - height) * y) / 100;
    const edges = (from: number, to: number, start: number, size: number) =>
      [Math.max(from, start), Math.min(to, start + size)].map((edge) => (edge - start) / size);
    const [left = 1, right = 0] = edges(
      Math.max(box.left, place.left),
      Math.min(box.right, place.right),
      pictureLeft,
      width,
    );
    const [top = 1, bottom = 0] = edges(
      Math.max(box.top, place.top),
      Math.min(box.bottom, place.bottom),
      pictureTop,
      height,
    );
    return { isUpright: videoHeight > videoWidth, left, right, top, bottom };
  });

test("an upright picture is shown whole in a wide place, and that of the back camera not mirrored", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  await page.addInitScript(() => {
    // `about:blank` has no media devices.
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media) return;
    const canvas = document.createElement("canvas");
    canvas.width = 360;
    canvas.height = 640;
    const context = canvas.getContext("2d");
    setInterval(() => context?.fillRect(0, 0, 360, Math.random() * 640), 100);
    media.getUserMedia = async () => {
      const stream = canvas.captureStream();
      for (const track of stream.getVideoTracks()) {
        track.getSettings = () => ({ facingMode: window.name || "user" });
      }
      return stream;
    };
  });
  const styleOf = () =>
    page.getByTestId("preview").evaluate((video) => {
      const { objectFit, transform, opacity } = getComputedStyle(video);
      return { objectFit, isMirrored: transform.startsWith("matrix(-1"), opacity };
    });
  await page.goto(ada.previewUrl("upright"));
  await expect.poll(styleOf).toEqual({ objectFit: "contain", isMirrored: true, opacity: "1" });
  await page.evaluate(() => {
    window.name = "environment";
  });
  await page.reload();
  await expect.poll(styleOf).toEqual({ objectFit: "contain", isMirrored: false, opacity: "1" });

  // In the call a face, which is at 15 to 55 % of the height, is whole at the others, whatever the
  // shapes of their tiles; so is that in a wide picture on an upright phone.
  await page.goto(ada.roomUrl("upright"));
  await ada.ownTile();
  const grace = await open("Grace");
  await grace.enter("upright");
  const papers: PaperParticipant[] = [];
  for (const others of [1, 4]) {
    while (papers.length < others - 1) {
      const name = `Person ${papers.length}`;
      papers.push(await PaperParticipant.join(server.url, "upright", name));
    }
    for (const [viewer, sender, isUpright] of [
      [grace, "Ada", true],
      [ada, "Grace", false],
    ] as const) {
      await viewer.remoteTiles(others);
      const tile = viewer.page.locator(`[data-testid=tile][data-name=${sender}]`);
      for (const [width, height] of SOME_SIZES) {
        await viewer.page.setViewportSize({ width, height });
        const at = `${sender} of ${others} others at ${width} × ${height}`;
        await expect(async () => {
          const shown = await shownPart(tile);
          expect(shown.isUpright, at).toBe(isUpright);
          expect(shown.top, at).toBeLessThanOrEqual(0.15);
          expect(shown.bottom, at).toBeGreaterThanOrEqual(0.55);
          expect(shown.left, at).toBeLessThanOrEqual(0.4);
          expect(shown.right, at).toBeGreaterThanOrEqual(0.6);
        }).toPass({ timeout: 20_000 });
      }
    }
  }
  for (const paper of papers) paper.leave();
});
