/**
 * Initiator of the navigation to this document: the user, this page or another site. A link from
 * another site never starts the camera or microphone before a gesture on this page.
 *
 * The browser sends `Sec-Fetch-Site` (Fetch Metadata) to the server, which returns the value in
 * `Server-Timing`: the only header of its own response that a document can read.
 */

import { hasNavigated } from "./router.ts";

/** Known properties of the navigation that created the document. */
export interface Navigation {
  /** `Sec-Fetch-Site`, if browser and server sent it. */
  readonly site: string | undefined;
  /** `PerformanceNavigationTiming.type`. */
  readonly type: string | undefined;
  /** Devices were already started on this history entry. */
  readonly wasAllowed: boolean;
  /** The user has already moved between views of this document by a click. */
  readonly isWithinPage: boolean;
}

/** Returns whether devices may start and a call may be joined without a gesture. */
export function isAllowed({ site, type, wasAllowed, isWithinPage }: Navigation): boolean {
  if (isWithinPage) return true;
  switch (type) {
    case "navigate":
      return isUserOrSameOrigin(site);
    case "reload":
      return isUserOrSameOrigin(site) || wasAllowed;
    default:
      // Another site can also navigate back in the history, into a call that was left.
      return false;
  }
}

/**
 * Returns whether a page of this server made the address of this document, rather than a program or
 * another site. Moving on to another view says nothing about who made the query of the first one.
 */
export function isOwnLink(): boolean {
  return siteOfNavigation() === "same-origin";
}

function siteOfNavigation(): string | undefined {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.serverTiming?.find(({ name }) => name === "sec-fetch-site")?.description;
}

/** `none` means that the address was typed, bookmarked or opened by another program. */
function isUserOrSameOrigin(site: string | undefined): boolean {
  return site === "none" || site === "same-origin";
}

/** Returns whether this document may start devices without a gesture now. */
export function mayStartDevices(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return isAllowed({
    site: siteOfNavigation(),
    type: entry?.type,
    wasAllowed: history.state?.devices === "allowed",
    isWithinPage: hasNavigated(),
  });
}

/** Records on this history entry that devices were started, so that a reload may start them. */
export function rememberAllowed(): void {
  if (history.state?.devices === "allowed") return;
  history.replaceState({ ...history.state, devices: "allowed" }, "");
}
