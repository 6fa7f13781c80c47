// Accessibility checks with axe.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/**
 * Violations of any impact, in the page's present colours. Of forced colours axe measures no
 * contrast: it reads `-webkit-text-fill-color`, whose computed value Chromium does not force.
 */
export async function violationsOf(page: Page): Promise<string[]> {
  // Pages have no frames, for which alone axe would open another page each time.
  const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(violations.length + passes.length, "rules that apply").toBeGreaterThan(0);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Fails on any violation, in the light and the dark colour scheme. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expectFaultless(page, colorScheme);
  }
}

/** Fails on any violation in the page's present colours. */
export async function expectFaultless(page: Page, view: string): Promise<void> {
  expect(await violationsOf(page), view).toEqual([]);
}
