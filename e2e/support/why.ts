// The button "Why is it bad?" in the statistics of a call.

import type { Locator } from "@playwright/test";
import type { ChromiumParticipant } from "./participant.ts";

export interface Verdict {
  codes: string[];
  /** The sentence, what to do, and the other findings. */
  text: string;
}

/** Presses the button, in open statistics, and reads the verdict. */
export async function askWhy({ page }: ChromiumParticipant): Promise<Verdict> {
  const button = page.locator('[data-testid="call-why"]:not([aria-disabled])');
  await button.click();
  const verdict: Locator = page.getByTestId("call-verdict");
  // The sentence of the question itself has no icon.
  await verdict.locator("svg").waitFor();
  const codes = await verdict.getByTestId("doctor-code").allTextContents();
  return { codes, text: await verdict.innerText() };
}
