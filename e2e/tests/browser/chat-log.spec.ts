// Acceptance check 22: in a chat of 500 messages the newest one stays in sight, whatever happens.

import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import type { Tab } from "../../support/tab.ts";
import { expect, test } from "../../support/test.ts";

/** Messages that a page has, and that the server keeps for those who come later. */
const SHOWN = 500;
const KEPT = 200;
/** Messages that one participant may send at once. */
const BURST = 20;

type Evaluating = Pick<Tab, "evaluate">;

/** Distance (px) of the log's end from the lower edge of what is in sight; null without a log. */
const belowView = (page: Evaluating) =>
  page.evaluate(() => {
    const log = document.querySelector("[role=log]");
    return log && Math.round(log.scrollHeight - log.scrollTop - log.clientHeight);
  });

/** The newest message is in sight: in the log, and above what covers the lower edge. */
async function expectNewestInSight(page: Evaluating, what: string): Promise<void> {
  await expect.poll(async () => (await belowView(page)) ?? SHOWN, what).toBeLessThanOrEqual(1);
  const isInSight = () =>
    page.evaluate(() => {
      const message = [...document.querySelectorAll("[data-testid=chat-message]")].at(-1);
      if (!message) return false;
      const { top, bottom, left, right } = message.getBoundingClientRect();
      const view = window.visualViewport ?? { offsetTop: 0, height: innerHeight };
      const hit = document.elementFromPoint((left + right) / 2, bottom - 4);
      const isUncovered = hit !== null && (message.contains(hit) || hit.contains(message));
      return top >= view.offsetTop && bottom <= view.offsetTop + view.height && isUncovered;
    });
  await expect.poll(isInSight, what).toBe(true);
}

test("of 500 messages the newest stays in sight; who comes late sees those that are kept", async ({
  firefox,
  open,
  pool,
  server,
}) => {
  test.setTimeout(240_000);
  await createRoom(server.url, { name: "log", capacity: 40 });
  const ada = await open("Ada");
  const { page } = ada;
  await ada.enter("log");
  await page.getByTestId("chat-open").click();
  const papers: PaperParticipant[] = [];
  while (papers.length < SHOWN / BURST) {
    papers.push(await PaperParticipant.join(server.url, "log", `Person ${papers.length + 1}`));
  }
  for (let n = 0; n < SHOWN; n++) {
    await papers[n % papers.length]?.write(
      `Message ${n + 1} ${"with some more words ".repeat(n % 5)}`,
    );
  }
  const messages = page.getByTestId("chat-message");
  const missing = () =>
    messages.evaluateAll((all, shown) => {
      const seen = new Set(all.map((each) => /Message (\d+)/.exec(each.textContent ?? "")?.[1]));
      return Array.from({ length: shown }, (_, i) => `${i + 1}`).filter((n) => !seen.has(n));
    }, SHOWN);
  // The page draws them one by one, on a machine that other work shares.
  await expect.poll(missing, { timeout: 60_000 }).toEqual([]);
  await expectNewestInSight(page, "received");
  await page.getByTestId("chat-input").fill("One of my own");
  await page.keyboard.press("Enter");
  await expect(messages.last()).toContainText("One of my own");
  await expect(messages.last()).toHaveAttribute("data-status", "sent");
  await expect(messages).toHaveCount(SHOWN);
  await expectNewestInSight(page, "sent");

  for (const [width, height] of [
    [1280, 500],
    [768, 1024],
    [390, 844],
    [844, 390],
  ] as const) {
    await page.setViewportSize({ width, height });
    await expectNewestInSight(page, `${width} × ${height}`);
  }

  // Safari's keyboard leaves the window its size and covers its lower part.
  await page.setViewportSize({ width: 390, height: 844 });
  const setKeyboard = (height: number) =>
    page.evaluate((height) => {
      const view = window.visualViewport;
      if (!view) throw new Error("no visual viewport");
      Object.defineProperty(view, "height", {
        configurable: true,
        get: () => innerHeight - height,
      });
      view.dispatchEvent(new Event("resize"));
    }, height);
  const input = page.getByTestId("chat-input");
  const inputEnd = () =>
    input.evaluate((input) => Math.round(input.getBoundingClientRect().bottom));
  await input.focus();
  await setKeyboard(300);
  await expect.poll(inputEnd).toBeLessThanOrEqual(544);
  await expectNewestInSight(page, "keyboard open");
  await setKeyboard(0);
  await expect.poll(inputEnd).toBeGreaterThan(544);
  await expectNewestInSight(page, "keyboard closed");

  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Escape");
  await page.getByTestId("chat-open").click();
  await expectNewestInSight(page, "opened once more");
  await page.getByRole("heading", { level: 1 }).focus();
  await page.keyboard.press("?");
  await page.getByTestId("settings-language").click();
  await page.getByTestId("settings").getByRole("combobox").selectOption("ko");
  await expect(page.locator("html")).toHaveAttribute("lang", "ko");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("settings")).toHaveCount(0);
  await expectNewestInSight(page, "another language");

  const late = await open("Late", { context: { locale: "ko-KR" } });
  await late.enter("log");
  await late.page.getByTestId("chat-open").click();
  await expect(late.page.getByTestId("chat-message")).toHaveCount(KEPT, { timeout: 15_000 });
  await expect(late.page.getByTestId("chat-message").last()).toContainText("One of my own");
  await expect(late.page.getByTestId("chat-message").first()).toContainText(
    `Message ${SHOWN - KEPT + 2} `,
  );
  await expectNewestInSight(late.page, "came late");

  const edith = await pool.openFirefox("Edith", firefox);
  await edith.enter("log");
  await edith.tab.click("chat-open");
  const count = () =>
    edith.tab.evaluate(() => document.querySelectorAll("[data-testid=chat-message]").length);
  await expect.poll(count, { timeout: 15_000 }).toBe(KEPT);
  await expectNewestInSight(edith.tab, "came late, with Firefox");
  await edith.tab.fill(
    "chat-input",
    "One more, in a line that the field has to break in two or three",
  );
  await expectNewestInSight(edith.tab, "a high field, with Firefox");
  await edith.tab.press("Enter");
  await expect.poll(count).toBe(KEPT + 1);
  await expectNewestInSight(edith.tab, "sent, with Firefox");
  for (const paper of papers) paper.leave();
});

test("Hangul is composed by the input method, and Enter sends nothing half-composed", async ({
  open,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  await ada.enter("hangul");
  await page.getByTestId("chat-open").click();
  const input = page.getByTestId("chat-input");
  await input.focus();
  const devtools = await page.context().newCDPSession(page);
  const compose = (text: string) =>
    devtools.send("Input.imeSetComposition", {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
  for (const text of ["ㅇ", "아", "안"]) await compose(text);
  await expect(input).toHaveValue("안");
  // The key that ends the composition, as Chromium and Firefox report it.
  await devtools.send("Input.dispatchKeyEvent", {
    type: "rawKeyDown",
    key: "Process",
    code: "Enter",
    windowsVirtualKeyCode: 229,
  });
  await input.dispatchEvent("keydown", { key: "Enter", isComposing: true, keyCode: 229 });
  await expect(page.getByTestId("chat-message")).toHaveCount(0);
  await expect(input).toHaveValue("안");
  await devtools.send("Input.insertText", { text: "안녕" });
  await expect(input).toHaveValue("안녕");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("chat-message")).toHaveText(/안녕/);
  await expect(input).toHaveValue("");
});
