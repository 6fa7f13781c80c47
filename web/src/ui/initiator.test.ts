import { describe, expect, test } from "vitest";
import { isAllowed, type Navigation } from "./initiator.ts";

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
