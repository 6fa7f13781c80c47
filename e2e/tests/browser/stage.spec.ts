// The stage of a call with many people: pages, layouts, and who speaks.

import type { Page } from "@playwright/test";
import { expectFaultless } from "../../support/accessibility.ts";
import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

/** Names and boxes of the tiles in sight, in the order of the document. */
const inSight = (page: Page) =>
  page.evaluate(() => {
    const stage = document.querySelector("[data-testid=tile]")?.closest("ul")?.parentElement;
    const edge = stage?.getBoundingClientRect() ?? new DOMRect();
    return [...document.querySelectorAll<HTMLElement>("[data-testid=tile]")].flatMap((tile) => {
      const { x, y, width, height } = tile.getBoundingClientRect();
      const isInside = x < edge.right && x + width > edge.x && y < edge.bottom;
      const isShown = isInside && getComputedStyle(tile).visibility === "visible";
      return isShown ? [{ name: tile.dataset.name ?? "", x, y, width, height }] : [];
    });
  });

interface LayoutShift extends PerformanceEntry {
  value: number;
  sources: { node: Node | null }[];
}

declare global {
  interface Window {
    shifts: LayoutShift[];
  }
}

/** An event of Chromium's traces. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** CPU time (µs). */
  tdur?: number;
  args: { name?: string };
}

/** Cost of what happens in a call: layout shift, and CPU time (ms) of the page's main thread. */
interface Cost {
  shift: number;
  /** The elements that have shifted. */
  shifted: string[];
  cpuMs: number;
  /** CPU time (ms) of the longest task. */
  longestTaskMs: number;
}

/**
 * Measures events in a page. All tasks of an event together are an upper bound of its longest one,
 * and CPU time does not grow while other programs have the processor.
 */
async function costMeter(page: Page): Promise<(event: () => Promise<void>) => Promise<Cost>> {
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts.push(entry as LayoutShift);
    }).observe({ type: "layout-shift" });
  });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    // What was drawn is reported after the next frame.
    const shifts = await page.evaluate(
      () =>
        new Promise<{ value: number; elements: string[] }[]>((resolve) => {
          const nameOf = (node: Node | null) =>
            node instanceof Element ? node.outerHTML.slice(0, 120) : (node?.textContent ?? "gone");
          const taken = () =>
            window.shifts.splice(0).map(({ value, sources }) => ({
              value,
              elements: sources.map(({ node }) => nameOf(node)),
            }));
          requestAnimationFrame(() => setTimeout(() => resolve(taken())));
        }),
    );
    const { metrics } = await cdp.send("Performance.getMetrics");
    const seconds = metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
    return { shifts, cpuMs: seconds * 1_000 };
  };
  return async (event) => {
    const before = await read();
    const tasks = await traceTasks(page);
    await event();
    const longestTaskMs = Math.max(...(await tasks()));
    const after = await read();
    return {
      longestTaskMs,
      shift: after.shifts.reduce((sum, { value }) => sum + value, 0),
      shifted: after.shifts.flatMap(({ elements }) => elements),
      cpuMs: after.cpuMs - before.cpuMs,
    };
  };
}

/** Starts to trace; the result ends it and returns the CPU time (ms) of each main thread's tasks. */
async function traceTasks(page: Page): Promise<() => Promise<number[]>> {
  const browser = page.context().browser();
  if (!browser) throw new Error("no browser");
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  return async () => {
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
      traceEvents: TraceEvent[];
    };
    const mainThreads = new Set(
      traceEvents
        .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
        .map(({ pid, tid }) => `${pid} ${tid}`),
    );
    const tasks = traceEvents.filter(
      ({ name, pid, tid }) => name.endsWith("RunTask") && mainThreads.has(`${pid} ${tid}`),
    );
    return tasks.map(({ tdur = 0 }) => tdur / 1_000);
  };
}

/** Time (ms) from when somebody speaks until their tile is in sight, on the page's own clock. */
const delayOfSpeaker = (page: Page, name: string) =>
  page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const tile = document.querySelector<HTMLElement>(`[data-name="${name}"]`);
        let since: number | null = null;
        const look = () => {
          if (tile?.dataset.speaking === "true") since ??= performance.now();
          const isShown = tile !== null && getComputedStyle(tile).visibility === "visible";
          if (since !== null && isShown) resolve(performance.now() - since);
          else requestAnimationFrame(look);
        };
        look();
      }),
    name,
  );

async function choose(page: Page, ...testIds: string[]): Promise<void> {
  await page.getByTestId("open-layout").click();
  for (const testId of testIds) await page.getByTestId(testId).click();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("open-layout")).toBeFocused();
}

test("31 people are on pages, whoever speaks comes into sight, and layouts can be chosen", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "many", capacity: 40 });
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  await ada.enter("many");
  const papers: PaperParticipant[] = [];
  const tiles = page.getByTestId("tile");
  const join = async () => {
    papers.push(await PaperParticipant.join(server.url, "many", `Person ${papers.length + 1}`));
    await expect(tiles).toHaveCount(papers.length + 1);
  };
  const measure = await costMeter(page);
  const costs: Cost[] = [];
  const raiseHand = async (hand: boolean) => {
    const count = await page.getByTestId("tile-hand").count();
    await papers[2]?.raiseHand(hand);
    await expect(page.getByTestId("tile-hand")).toHaveCount(count + (hand ? 1 : -1));
  };
  for (const total of [9, 30]) {
    while (papers.length < total - 2) await join();
    for (const event of [join, () => raiseHand(true), () => raiseHand(false)]) {
      costs.push(await measure(event));
    }
  }
  const grace = await open("Grace");
  await grace.tab.goto(grace.roomUrl("many"));
  await grace.tab.click("toggle-mic");
  await ada.remoteTiles(30);

  await page.setViewportSize({ width: 390, height: 844 });
  const names = async () => (await inSight(page)).map(({ name }) => name);
  await expect(page.getByTestId("page")).toHaveText(/^1 of [45]$/);
  const first = await names();
  expect(first.length).toBeGreaterThanOrEqual(6);
  expect(first).toEqual([...first.slice(0, -1).map((_, i) => `Person ${i + 1}`), "Ada"]);
  await page.getByTestId("next-page").click();
  const second = await names();
  expect(second).toContain("Ada");
  expect(second.filter((name) => first.includes(name))).toEqual(["Ada"]);
  await page.keyboard.press("PageUp");
  await expect.poll(names).toEqual(first);

  // The fake microphone beeps: she takes the place of one of them, and the others stay.
  const unmute = grace.tab.click("toggle-mic");
  const speaking = await measure(async () => {
    expect(await delayOfSpeaker(page, "Grace")).toBeLessThan(1_000);
  });
  await unmute;
  console.log("costs", JSON.stringify([...costs, speaking]));
  for (const { shift, shifted } of [...costs, speaking]) expect(shift, shifted.join()).toBe(0);
  for (const { cpuMs } of costs) expect(cpuMs).toBeLessThan(50);
  // A second in which somebody speaks has more than one task.
  expect(speaking.longestTaskMs).toBeLessThan(50);
  const now = await names();
  expect(now.filter((name) => !first.includes(name))).toEqual(["Grace"]);
  expect(now).toHaveLength(first.length);

  await page.setViewportSize({ width: 1280, height: 800 });
  await choose(page, "view-side");
  const large = page.locator('[data-testid="tile"][data-large="true"]');
  await expect(large).toHaveAttribute("data-name", "Grace");
  const half = await large.boundingBox();
  expect(half?.width).toBeLessThan(640);
  expect(half?.height).toBeGreaterThan(500);

  await expectFaultless(page, "31 people");
  await choose(page, "view-speaker");
  for (const { width } of await inSight(page)) expect(width).toBeGreaterThanOrEqual(140);
  await expect(page.getByTestId("toggle-view")).toHaveAttribute("aria-pressed", "true");

  await choose(page, "view-grid", "hide-cameraless");
  await expect.poll(names).toEqual(["Grace", "Ada"]);
  await expect(page.getByTestId("show-cameraless")).toHaveText("29 without camera");
  // They are still heard: their tiles play the sound.
  await ada.remoteTiles(30);
  await page.getByTestId("show-cameraless").click();
  await expect.poll(async () => (await names()).length).toBeGreaterThan(20);

  await choose(page, "self-floating");
  const own = (await inSight(page)).find(({ name }) => name === "Ada");
  expect(own?.x).toBeGreaterThan(900);
  await choose(page, "self-hidden");
  await expect.poll(names).not.toContain("Ada");
  await page.getByTestId("show-self").click();
  await expect.poll(names).toContain("Ada");
  for (const paper of papers) paper.leave();
});
