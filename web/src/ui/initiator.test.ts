import { afterEach, describe, expect, test, vi } from "vitest";
import { isAllowed, isOwnLink, mayStartDevices, type Navigation } from "./initiator.ts";
import { navigate } from "./router.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const arrival: Navigation = {
  site: "none",
  type: "navigate",
  wasAllowed: false,
  isWithinPage: false,
};

describe("devices on arrival", () => {
  test.each(["none", "same-origin"])("start where Sec-Fetch-Site is %s", (site) => {
    expect(isAllowed({ ...arrival, site })).toBe(true);
  });

  test.each(["same-site", "cross-site", "None", "", undefined])(
    "wait for a gesture where Sec-Fetch-Site is %s",
    (site) => {
      for (const type of ["navigate", "reload", "back_forward", "prerender", undefined]) {
        expect(isAllowed({ ...arrival, site, type })).toBe(false);
        expect(isAllowed({ ...arrival, site, type, isWithinPage: true })).toBe(true);
      }
    },
  );

  test("wait after a history navigation, which any page can cause", () => {
    for (const site of ["none", "same-origin"]) {
      const back: Navigation = { ...arrival, site, type: "back_forward", wasAllowed: true };
      expect(isAllowed(back)).toBe(false);
    }
  });

  test("start on a reload of the history entry on which they were started", () => {
    const entry: Navigation = { ...arrival, site: "cross-site", wasAllowed: true };
    expect(isAllowed({ ...entry, type: "reload" })).toBe(true);
    expect(isAllowed({ ...entry, type: "navigate" })).toBe(false);
  });
});

test("a click in a document that a mail opened doesn't make its address the page's own", () => {
  const serverTiming = [{ name: "sec-fetch-site", description: "none" }];
  const entry = { type: "navigate", serverTiming } as unknown as PerformanceEntry;
  vi.spyOn(performance, "getEntriesByType").mockReturnValue([entry]);
  vi.stubGlobal("history", { state: null, pushState: () => {} });
  vi.stubGlobal("dispatchEvent", () => true);
  navigate("/r/tea");
  expect(mayStartDevices()).toBe(true);
  expect(isOwnLink()).toBe(false);
  Object.assign(serverTiming[0] ?? {}, { description: "same-origin" });
  expect(isOwnLink()).toBe(true);
});
