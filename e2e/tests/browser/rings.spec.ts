// Acceptance checks 28 and 29: rings around what has the focus and around whoever speaks stand out,
// in light, dark and forced colours.

import type { Page } from "@playwright/test";
import { contrast, faultOf, focusRing, MIN_CONTRAST } from "../../support/contrast.ts";
import { FORCED_COLOURS, launchFirefox } from "../../support/firefox.ts";
import type { Participant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const COLOURS = [
  { colorScheme: "light", forcedColors: null },
  { colorScheme: "dark", forcedColors: null },
  { colorScheme: "light", forcedColors: "active" },
  { colorScheme: "dark", forcedColors: "active" },
] as const;

/** Presses Tab until it has led around, and looks at every ring on the way. */
async function walk(page: Page, view: string, faults: string[], most = 60): Promise<void> {
  for (const colours of COLOURS) {
    await page.emulateMedia(colours);
    const seen = new Set<string>();
    for (let presses = 0; presses < most; presses++) {
      await page.keyboard.press("Tab");
      const isOutside = await page.evaluate(
        () => document.activeElement === document.body || document.activeElement === null,
      );
      // The end of the page, behind which is the browser's own bar.
      if (isOutside) continue;
      const ring = await focusRing(page);
      if (seen.has(ring.element)) continue;
      seen.add(ring.element);
      const fault = faultOf(ring);
      if (fault) faults.push(`${view}, ${Object.values(colours).join(" ")}: ${fault}`);
    }
    expect(seen.size, view).toBeGreaterThan(2);
  }
  await page.emulateMedia({ colorScheme: null, forcedColors: null });
}

test("the ring of what has the focus stands out everywhere", async ({ open, server }) => {
  test.setTimeout(300_000);
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  const faults: string[] = [];
  await page.goto(`${ada.url}/?name=Ada`);
  await expect(page.getByTestId("create-room")).toBeVisible();
  await walk(page, "home", faults, 20);
  await ada.openPreview("rings");
  await walk(page, "lobby", faults, 20);
  await ada.join();
  const others = [];
  for (const name of ["Grace", "Hedy"]) {
    others.push(await PaperParticipant.join(server.url, "rings", name));
  }
  await ada.remoteTiles(2);
  await walk(page, "call", faults, 34);
  for (const panel of ["chat-open", "open-people"]) {
    await page.getByTestId(panel).click();
    await walk(page, panel, faults);
  }
  await page.keyboard.press("Escape");
  await page.getByTestId("open-reactions").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("[popover] :focus")).toHaveCount(1);
  expect(faultOf(await focusRing(page))).toBeNull();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByTestId("settings")).toBeVisible();
  for (const tab of ["media", "notices", "access"]) {
    await page.getByTestId(`settings-${tab}`).click();
    await walk(page, `settings, ${tab}`, faults, 24);
  }
  expect(faults).toEqual([]);
  for (const other of others) other.leave();
});

/** The same in a browser that Playwright does not drive. */
async function walkFirefox({ tab }: Participant, view: string, faults: string[]): Promise<void> {
  const seen = new Set<string>();
  // Not to the end of the lobby: a page without a window never gets the focus back.
  for (let presses = 0; presses < 10; presses++) {
    await tab.press("Tab");
    const ring = await focusRing(tab);
    const fault = seen.has(ring.element) ? null : faultOf(ring);
    seen.add(ring.element);
    if (fault) faults.push(`${view}: ${fault}`);
  }
  expect(seen.size, view).toBeGreaterThan(4);
}

test("in Firefox the ring of what has the focus stands out, in forced colours, too", async ({
  firefox,
  pool,
  server,
}) => {
  const faults: string[] = [];
  const grace = await PaperParticipant.join(server.url, "rings", "Grace");
  const forced = pool.closeAtEnd(await launchFirefox(undefined, FORCED_COLOURS));
  for (const [colours, browser] of [
    ["usual", firefox],
    ["forced", forced],
  ] as const) {
    const ada = await pool.openFirefox("Ada", browser);
    await ada.openPreview("rings");
    const isForced = () => matchMedia("(forced-colors: active)").matches;
    expect(await ada.tab.evaluate(isForced)).toBe(colours === "forced");
    await walkFirefox(ada, `lobby, ${colours} colours`, faults);
    await ada.join();
    await ada.remoteTiles(1);
    await walkFirefox(ada, `call, ${colours} colours`, faults);
    await ada.tab.click("open-people");
    await walkFirefox(ada, `people, ${colours} colours`, faults);
    await ada.tab.click("leave");
  }
  expect(faults).toEqual([]);
  grace.leave();
});

/** Presses Tab from the beginning to the end of the page; says what is wrong with its stops. */
async function walkWhole({ tab }: Participant, view: string, faults: string[]): Promise<number> {
  await tab.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    for (const walked of document.querySelectorAll("[data-walked]")) {
      walked.removeAttribute("data-walked");
    }
  });
  let stops = 0;
  for (let presses = 0; presses < 60; presses++) {
    await tab.press("Tab");
    const stop = await tab.evaluate(() => {
      const focused = document.activeElement;
      if (!(focused instanceof HTMLElement) || focused === document.body) return null;
      const isKnown = focused.dataset.walked !== undefined;
      focused.dataset.walked = "";
      const labels = "labels" in focused ? [...(focused.labels as NodeListOf<Element>)] : [];
      const by = (focused.getAttribute("aria-labelledby") ?? "").split(" ");
      const texts = [
        focused.getAttribute("aria-label"),
        ...by.map((id) => document.getElementById(id)?.textContent),
        ...labels.map((label) => label.textContent),
        focused.matches("select, input, textarea") ? "" : focused.textContent,
        focused.title,
        ...[...focused.querySelectorAll("[aria-label]")].map((part) => part.ariaLabel),
      ];
      return {
        isKnown,
        hasName: texts.some((text) => text?.trim()),
        html: focused.outerHTML.slice(0, 90),
      };
    });
    // The end of the page, or its beginning again.
    if (stop === null || stop.isKnown) break;
    stops += 1;
    if (!stop.hasName) faults.push(`${view}: no name of ${stop.html}`);
    // A line may fade in.
    let { ring } = await focusRing(tab);
    for (let looks = 0; looks < 200 && ring === null; looks++) ({ ring } = await focusRing(tab));
    if (ring === null) faults.push(`${view}: no ring around ${stop.html}`);
  }
  return stops;
}

test("in Firefox every stop of Tab has a name and a ring, and no video is one", async ({
  firefox,
  pool,
  server,
}) => {
  const faults: string[] = [];
  // A page each: beyond its last stop a page without a window never gets the focus back.
  const ada = await pool.openFirefox("Ada", firefox);
  await ada.tab.goto(`${server.url}/?name=Ada`);
  await until("the start page", async () => {
    const seen = await ada.tab.evaluate(() => document.querySelector("h1")?.textContent);
    return seen ? { done: seen } : { seen };
  });
  expect(await walkWhole(ada, "home", faults)).toBeGreaterThan(4);
  const ben = await pool.openFirefox("Ben", firefox);
  await ben.openPreview("stops");
  expect(await walkWhole(ben, "lobby", faults)).toBeGreaterThan(6);
  const cem = await pool.openFirefox("Cem", firefox);
  await cem.enter("stops");
  const grace = await PaperParticipant.join(server.url, "stops", "Grace");
  const hedy = await PaperParticipant.join(server.url, "stops", "Hedy");
  await cem.remoteTiles(2);
  await cem.tab.click("open-people");
  expect(await walkWhole(cem, "call", faults)).toBeGreaterThan(4);
  expect(faults).toEqual([]);
  const videos = await cem.tab.evaluate(() =>
    [...document.querySelectorAll("video")].map((video) => video.tabIndex),
  );
  expect(videos.length).toBeGreaterThan(1);
  expect(new Set(videos)).toEqual(new Set([-1]));
  grace.leave();
  hedy.leave();
});

test("the ring of whoever speaks stands out from the stage, the tile and any picture", async ({
  open,
}) => {
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  await ada.enter("speakers");
  const grace = await open("Grace");
  await grace.enter("speakers");
  await ada.decodes(1);
  // Grace's microphone beeps.
  const ring = () =>
    page.evaluate(
      () =>
        new Promise<{ tones: string[]; stage: string; tile: string; border: string }>((resolve) => {
          const look = () => {
            const tile = document.querySelector('[data-self="false"][data-speaking="true"]');
            const call = document.querySelector("[data-testid=call]");
            const { boxShadow, borderTopColor, borderTopWidth } = getComputedStyle(
              tile ?? document.body,
              "::after",
            );
            const tones = [...boxShadow.matchAll(/(rgba?\([^)]+\)) 0px 0px 0px [46]px inset/g)];
            if (!tile || !call || (tones.length < 2 && borderTopWidth === "0px")) {
              requestAnimationFrame(look);
              return;
            }
            resolve({
              tones: tones.map(([, colour = ""]) => colour),
              stage: getComputedStyle(call).backgroundColor,
              // Without a picture.
              tile: "rgb(26, 39, 33)",
              border: borderTopColor,
            });
          };
          look();
        }),
    );
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { tones, stage, tile } = await ring();
    const [outer = "", inner = ""] = tones;
    for (const beside of [stage, tile, inner]) {
      expect(contrast(outer, beside), `${outer} beside ${beside}`).toBeGreaterThanOrEqual(
        MIN_CONTRAST,
      );
    }
    await page.emulateMedia({ colorScheme, forcedColors: "active" });
    const forced = await ring();
    expect(forced.tones).toEqual([]);
    expect(contrast(forced.border, forced.stage)).toBeGreaterThanOrEqual(MIN_CONTRAST);
    await page.emulateMedia({ forcedColors: null });
  }
});
