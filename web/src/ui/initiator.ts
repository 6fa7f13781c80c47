/**
 * Who brought this document: the person, this page itself, or another site. A link of another
 * site's, whatever its query, starts no camera and no microphone before a gesture on this page.
 *
 * The browser tells the server by `Sec-Fetch-Site` (Fetch Metadata), and the server hands that back
 * by `Server-Timing`, the one header of its own answer that a document can read.
 */

import { hasNavigated } from "./router.ts";

/** What is known of the navigation that made a document. */
export interface Navigation {
  /** `Sec-Fetch-Site`, where browser and server told it. */
  readonly site: string | undefined;
  /** `PerformanceNavigationTiming.type`. */
  readonly type: string | undefined;
  /** Devices were allowed on this entry of the history before. */
  readonly wasAllowed: boolean;
  /** The person has gone from one view of this document to another, by a click of theirs. */
  readonly isWithinPage: boolean;
}

/** Whether devices may start, and a call be joined, without a gesture yet to come. */
export function isAllowed({ site, type, wasAllowed, isWithinPage }: Navigation): boolean {
  if (isWithinPage) return true;
  switch (type) {
    case "navigate":
      return isOwn(site);
    case "reload":
      return isOwn(site) || wasAllowed;
    default:
      // Another site's page may go back in the history as well, into a call that was left.
      return false;
  }
}

/** `none` is an address typed, bookmarked, or opened by another program. */
function isOwn(site: string | undefined): boolean {
  return site === "none" || site === "same-origin";
}

/** Whether this document may start devices by itself, just now. */
export function mayStartDevices(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return isAllowed({
    site: entry?.serverTiming?.find(({ name }) => name === "sec-fetch-site")?.description,
    type: entry?.type,
    wasAllowed: history.state?.devices === "allowed",
    isWithinPage: hasNavigated(),
  });
}

/** Notes on this entry of the history that devices were started: a reload of it may do so again. */
export function rememberAllowed(): void {
  if (history.state?.devices === "allowed") return;
  history.replaceState({ ...history.state, devices: "allowed" }, "");
}
