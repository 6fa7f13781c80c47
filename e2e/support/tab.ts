// Common interface to a page of Chromium (Playwright) and Firefox (Puppeteer).

import type { Page } from "@playwright/test";
import type { Page as FirefoxPage } from "puppeteer-core";

export interface Tab {
  goto(url: string): Promise<void>;
  evaluate<R>(inPage: () => R | Promise<R>): Promise<R>;
  click(testId: string): Promise<void>;
  fill(testId: string, text: string): Promise<void>;
  press(key: "Tab" | "Enter" | "Escape"): Promise<void>;
  close(): Promise<void>;
}

const selector = (testId: string) => `[data-testid="${testId}"]`;

export function chromiumTab(page: Page): Tab {
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: (inPage) => page.evaluate(inPage),
    click: (testId) => page.locator(selector(testId)).click(),
    fill: (testId, text) => page.locator(selector(testId)).fill(text),
    press: (key) => page.keyboard.press(key),
    close: () => page.context().close(),
  };
}

export function firefoxTab(page: FirefoxPage): Tab {
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: (inPage) => page.evaluate(inPage) as Promise<Awaited<ReturnType<typeof inPage>>>,
    click: (testId) => page.locator(selector(testId)).click(),
    fill: (testId, text) => page.locator(selector(testId)).fill(text),
    press: (key) => page.keyboard.press(key),
    close: () => page.close(),
  };
}
