// Sentences that a screen reader reads: whatever changes in a live region of the page.

import type { Participant } from "./participant.ts";

export interface Spoken {
  text: string;
  /** The role of the region, or `announcer` for that of the whole page. */
  region: string;
  /** Milliseconds on the page's own clock. */
  at: number;
}

declare global {
  interface Window {
    spoken: Spoken[];
  }
}

/** Begins to record them. */
export async function listen(person: Participant): Promise<void> {
  await person.tab.evaluate(() => {
    window.spoken = [];
    const REGIONS = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log]";
    const record = (region: Element, node: Node) => {
      const text = node.textContent?.trim() ?? "";
      if (text === "") return;
      const name = region.hasAttribute("data-live-announcer")
        ? "announcer"
        : (region.getAttribute("role") ?? "live");
      window.spoken.push({ text, region: name, at: performance.now() });
    };
    new MutationObserver((mutations) => {
      for (const { type, target, addedNodes } of mutations) {
        const place = target instanceof Element ? target : target.parentElement;
        const region = place?.closest(REGIONS);
        if (region && type === "characterData") record(region, target);
        for (const node of addedNodes) {
          if (region) record(region, node);
          // An alert is read once it appears; other regions when something in them changes.
          else if (node instanceof Element) {
            const alerts = [...node.querySelectorAll("[role=alert]")];
            if (node.matches("[role=alert]")) alerts.push(node);
            for (const alert of alerts) record(alert, alert);
          }
        }
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
}

/** The sentences so far. */
export function spoken(person: Participant): Promise<Spoken[]> {
  return person.tab.evaluate(() => window.spoken);
}

/** Forgets them. */
export function forget(person: Participant): Promise<void> {
  return person.tab.evaluate(() => {
    window.spoken = [];
  });
}
