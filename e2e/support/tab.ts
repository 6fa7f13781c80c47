// Common interface to a page of Chromium (Playwright) and Firefox (Puppeteer).

import type { Page } from "@playwright/test";
import type { Page as FirefoxPage } from "puppeteer-core";

export interface Tab {
  goto(url: string): Promise<void>;
  evaluate<R>(inPage: () => R | Promise<R>): Promise<R>;
  evaluateWith<R>(inPage: (number: number) => R | Promise<R>, number: number): Promise<R>;
  click(testId: string): Promise<void>;
  fill(testId: string, text: string): Promise<void>;
  press(key: "Tab" | "Enter" | "Escape"): Promise<void>;
  /** Gives the window this size (CSS px). */
  resize(width: number, height: number): Promise<void>;
  close(): Promise<void>;
}

const selector = (testId: string) => `[data-testid="${testId}"]`;

export function chromiumTab(page: Page): Tab {
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: (inPage) => page.evaluate(inPage),
    evaluateWith: (inPage, number) => page.evaluate(inPage, number),
    click: (testId) => page.locator(selector(testId)).click(),
    fill: (testId, text) => page.locator(selector(testId)).fill(text),
    press: (key) => page.keyboard.press(key),
    resize: (width, height) => page.setViewportSize({ width, height }),
    close: () => page.context().close(),
  };
}

export function firefoxTab(page: FirefoxPage): Tab {
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: (inPage) => page.evaluate(inPage) as Promise<Awaited<ReturnType<typeof inPage>>>,
    evaluateWith: (inPage, number) =>
      page.evaluate(inPage, number) as Promise<Awaited<ReturnType<typeof inPage>>>,
    click: (testId) => page.locator(selector(testId)).click(),
    fill: (testId, text) => page.locator(selector(testId)).fill(text),
    press: (key) => page.keyboard.press(key),
    resize: (width, height) => page.setViewport({ width, height }),
    close: () => page.close(),
  };
}
