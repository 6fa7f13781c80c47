// Accessibility checks with axe.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** Fails on any serious or critical violation, in the light and the dark colour scheme. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(
      ({ impact }) => impact === "serious" || impact === "critical",
    );
    const summary = serious.map(({ id, help, nodes }) => ({
      id,
      help,
      elements: nodes.map((node) => node.html),
    }));
    expect(summary, colorScheme).toEqual([]);
  }
}

/** Fails on any violation whatever its impact, in the page's present colours. */
export async function expectFaultless(page: Page, view: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const summary = violations.map(({ id, nodes }) => ({
    id,
    elements: nodes.map(({ html }) => html),
  }));
  expect(summary, view).toEqual([]);
}
