// The page `/doctor` of a participant's browser: opens it, waits, and reads what it found.

import { until } from "./until.ts";

/** Time that all checks together may take. */
export const EXAMINATION_MS = 15_000;

/** Any code but that of a computer that is too slow, as one that runs tests may be. */
export const isOfNetwork = (code: string) => code !== "CPU";

export interface Diagnosis {
  codes: string[];
  /** The verdict with its remedy and the other findings. */
  text: string;
  /** Outcome of each check, as shown. */
  checks: Record<string, string>;
  ms: number;
}

/** The part of a page that is needed here, of Playwright or of Puppeteer. */
interface Evaluating {
  goto(url: string): Promise<unknown>;
  evaluate<T>(script: () => T): Promise<T>;
}

/**
 * Opens the page and waits until it has judged. `seconds`: time for which the line is measured, 0
 * for tests of anything else. `probe`: one-time id with which a terminal follows.
 */
export async function examine(
  page: Evaluating,
  origin: string,
  seconds?: number,
  probe?: string,
): Promise<Diagnosis> {
  const start = Date.now();
  const query = new URLSearchParams();
  if (seconds !== undefined) query.set("seconds", `${seconds}`);
  if (probe !== undefined) query.set("probe", probe);
  await page.goto(`${origin}/doctor?${query}`);
  const seen = await until("the page to judge", async () => {
    const seen = await page.evaluate(() => {
      const all = (id: string) => [
        ...document.querySelectorAll<HTMLElement>(`[data-testid=${id}]`),
      ];
      const rows = all("doctor-check").map((row) => [
        row.dataset.check ?? "",
        row.querySelector("td")?.textContent ?? "",
      ]);
      return {
        phase: all("doctor")[0]?.dataset.phase,
        codes: all("doctor-code").map((code) => code.textContent ?? ""),
        text: all("doctor-verdict")[0]?.innerText ?? "",
        checks: Object.fromEntries(rows) as Record<string, string>,
      };
    });
    return { done: seen.phase && seen.phase !== "running" ? seen : undefined, seen };
  });
  if (seen.phase !== "judged") throw new Error(`the examination ${seen.phase}`);
  const { codes, text, checks } = seen;
  return { codes, text, checks, ms: Date.now() - start };
}
