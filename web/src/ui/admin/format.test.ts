import { describe, expect, it } from "vitest";
import { formatBytes, formatCores, formatMoment, formatRate, minutesBetween } from "./format.ts";

describe("format", () => {
  it("rounds rates, sizes and cores for people", () => {
    expect([999, 1550, 30_800, 12_000_000].map(formatRate)).toEqual([
      "999 kb/s",
      "1.6 Mb/s",
      "31 Mb/s",
      "12 Gb/s",
    ]);
    expect([formatBytes(60 * 2 ** 20), formatBytes(3 * 2 ** 29)]).toEqual(["60 MiB", "1.5 GiB"]);
    expect([formatCores(0), formatCores(1), formatCores(1050)]).toEqual(["0.0", "0.1", "1.1"]);
    expect(minutesBetween("2026-11-29T10:00:00Z", "2026-11-29T10:00:01Z")).toBe(1);
  });

  it("leaves out the day of today", () => {
    const now = new Date(2026, 10, 29, 14, 5);
    expect(formatMoment(now.toISOString(), "en", now)).toMatch(/^2:05/);
    const before = new Date(2026, 10, 28, 14, 5).toISOString();
    expect(formatMoment(before, "en", now)).toMatch(/^Nov 28, 2026, 2:05/);
  });
});
