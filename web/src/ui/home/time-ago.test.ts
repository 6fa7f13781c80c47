import { expect, test } from "vitest";
import { timeAgo } from "./time-ago.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

test("the largest whole unit is named", () => {
  const ago = (ms: number) => timeAgo(1e12 - ms, 1e12, "en");
  expect(ago(59 * MINUTE)).toBe("59 minutes ago");
  expect(ago(60 * MINUTE)).toBe("1 hour ago");
  expect(ago(DAY)).toBe("yesterday");
  expect(ago(13 * DAY)).toBe("last week");
  expect(ago(20 * DAY)).toBe("2 weeks ago");
});

test("less than a minute, and a clock that was turned back, are no time", () => {
  expect(timeAgo(0, 59_999, "en")).toBeNull();
  expect(timeAgo(1e6, 0, "ko")).toBeNull();
  expect(timeAgo(0, 2 * DAY, "ko")).toBe("그저께");
});
