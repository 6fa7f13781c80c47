// Screenshots for manual review, in a folder that git ignores.

import { join } from "node:path";
import type { Page } from "@playwright/test";

const FOLDER = join(import.meta.dirname, "../shots");

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** A desktop, a tablet, and a phone upright and lying. */
export const ALL_SIZES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 844, height: 390 },
];

/** Takes screenshots of a view in all sizes and both colour schemes. */
export async function takeScreenshots(page: Page, view: string, sizes = SIZES): Promise<void> {
  const before = page.viewportSize();
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const name = `${view}-${size.width}x${size.height}-${colorScheme}.png`;
      await page.screenshot({ path: join(FOLDER, name), animations: "disabled" });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}
