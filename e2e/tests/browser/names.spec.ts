// Long names take two lines at most wherever they are shown, and are whole in a tooltip or label.

import type { Participant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

/** Of 60 characters each, and without a space to break at. */
const NAMES = {
  German: "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis",
  Korean: "가나다라마바사아자차카타파하".repeat(5).slice(0, 60),
};

/** A place where a name is shown. */
interface Shown {
  element: string;
  lines: number;
  /** Some of it is not to be seen there. */
  isCut: boolean;
  /** All of it is in a tooltip or label of the element or one around it. */
  isWhole: boolean;
}

/** Runs in the page: everywhere that text begins with a name, or has it after some words. */
function namesShown(): Shown[] {
  const { name } = window.lookFor;
  const beginning = name.slice(0, 12);
  const shown: Shown[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const parent = node.parentElement;
    if (!parent || !node.textContent?.includes(beginning)) continue;
    // A list is drawn by the system, and what is spoken only has no lines.
    if (parent.closest("option, [aria-live], title, style")) continue;
    // The name in a sentence, as far as it is there.
    const text = node.textContent;
    const start = text.indexOf(beginning);
    let length = beginning.length;
    while (length < name.length && text[start + length] === name[length]) length++;
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, start + length);
    const tops = new Set<number>();
    let isCut = length < name.length;
    let visible = 0;
    for (const rect of range.getClientRects()) {
      let { top, bottom, left, right } = rect;
      for (let around: Element | null = parent; around; around = around.parentElement) {
        const { overflow, display } = getComputedStyle(around);
        if (overflow === "visible" || display === "inline") continue;
        const clip = around.getBoundingClientRect();
        top = Math.max(top, clip.top);
        bottom = Math.min(bottom, clip.bottom);
        left = Math.max(left, clip.left);
        right = Math.min(right, clip.right);
      }
      // A line's box may reach over the line above it, which is no more than its edge.
      const isSeen = bottom - top > rect.height / 2 && right - left > 1;
      if (isSeen) tops.add(Math.round(rect.top / 4));
      if (isSeen) visible += 1;
      if (!isSeen || right < rect.right - 1) isCut = true;
    }
    if (visible === 0) continue;
    let isWhole = false;
    for (let around: Element | null = parent; around; around = around.parentElement) {
      const words = [around.getAttribute("title"), around.getAttribute("aria-label")];
      isWhole ||= words.some((text) => text?.includes(name));
    }
    const { tagName, className } = parent;
    shown.push({ element: `${tagName}.${className}`, lines: tops.size, isCut, isWhole });
  }
  return shown;
}

declare global {
  interface Window {
    lookFor: { name: string };
  }
}

async function look({ tab }: Participant, name: string): Promise<Shown[]> {
  // A function that runs in the page knows nothing of the test.
  const given = new Function(`window.lookFor = { name: ${JSON.stringify(name)} };`);
  await tab.evaluate(given as () => void);
  return tab.evaluate(namesShown);
}

/** Opens a view, waits until the name is shown in it, and notes what is wrong there. */
async function inspect(ada: Participant, name: string, view: string, faults: string[], least = 1) {
  const shown = await until(`the name in ${view}`, async () => {
    const seen = await look(ada, name);
    return { done: seen.length >= least ? seen : undefined, seen };
  });
  for (const { element, lines, isCut, isWhole } of shown) {
    if (lines > 2) faults.push(`${view}: ${lines} lines in ${element}`);
    // A toast is gone in some seconds; the list of people has the name.
    const isToast = element.includes("text") || element.startsWith("P.");
    if (isCut && !isWhole && !isToast) faults.push(`${view}: no whole name of ${element}`);
  }
}

async function walk(ada: Participant, server: string, room: string, name: string) {
  const faults: string[] = [];
  await ada.enter(room);
  const long = await PaperParticipant.join(server, room, name);
  await ada.remoteTiles(1);
  await inspect(ada, name, "tile and toast", faults, 2);
  await long.raiseHand(true);
  await long.write("Hello");
  await ada.tab.click("open-people");
  await inspect(ada, name, "people panel", faults, 2);
  await ada.tab.click("person-actions");
  await ada.tab.click("remove");
  await inspect(ada, name, "question about removing", faults, 3);
  await ada.tab.click("chat-open");
  await inspect(ada, name, "chat", faults, 2);
  long.leave();
  return faults;
}

for (const [kind, name] of Object.entries(NAMES)) {
  test(`a long ${kind} name takes two lines at most in Chromium`, async ({ open, server }) => {
    const ada = await open("Ada");
    expect(name).toHaveLength(60);
    expect(await walk(ada, server.url, `names ${kind}`, name)).toEqual([]);

    // Who waits to be let in.
    await ada.page.getByTestId("open-people").click();
    await ada.page.getByTestId("entry").selectOption("waiting");
    await ada.page.keyboard.press("Escape");
    const zoe = await open(name);
    await zoe.page.goto(zoe.roomUrl(`names ${kind}`));
    const banner = ada.page.getByTestId("waiting-banner");
    await expect(banner).toBeVisible();
    const faults: string[] = [];
    await inspect(ada, name, "banner", faults);
    await ada.page.getByTestId("waiting-show").click();
    await inspect(ada, name, "waiting room", faults);
    await takeScreenshots(ada.page, `names-waiting-${kind}`);
    await ada.page.getByTestId("admit").click();
    await ada.remoteTiles(1);
    await inspect(ada, name, "people", faults, 2);
    await takeScreenshots(ada.page, `names-people-${kind}`);
    expect(faults).toEqual([]);
  });

  test(`a long ${kind} name takes two lines at most in Firefox`, async ({
    pool,
    firefox,
    server,
  }) => {
    const ada = await pool.openFirefox("Ada", firefox);
    expect(await walk(ada, server.url, `names ${kind}`, name)).toEqual([]);
  });
}
