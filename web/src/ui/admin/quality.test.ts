import { describe, expect, it } from "vitest";
import type { Quality } from "../../admin/types.ts";
import { gradeOf, percent, troublesOf } from "./quality.ts";
import { en } from "./texts/en.ts";

const of = (quality: Partial<Quality>): Quality => ({ interrupted: false, ...quality });

describe("gradeOf", () => {
  it("grades by the worst of what is known", () => {
    expect(gradeOf(of({}))).toBe("good");
    expect(gradeOf(of({ loss_up_permille: 5, round_trip_ms: 90 }))).toBe("good");
    expect(gradeOf(of({ loss_down_permille: 25 }))).toBe("fair");
    expect(gradeOf(of({ stalled_pictures: 1 }))).toBe("fair");
    expect(gradeOf(of({ limited_by: "cpu" }))).toBe("fair");
    expect(gradeOf(of({ limited_by: "overload" }))).toBe("fair");
    expect(gradeOf(of({ limited_by: "bandwidth" }))).toBe("good");
    expect(gradeOf(of({ loss_up_permille: 110 }))).toBe("poor");
    expect(gradeOf(of({ interrupted: true }))).toBe("poor");
  });
});

describe("troublesOf", () => {
  it("names each trouble, and nothing where there is none", () => {
    expect(troublesOf(of({ loss_up_permille: 3 }), en.quality)).toEqual([]);
    const bad = of({ loss_up_permille: 112, round_trip_ms: 300, stalled_pictures: 1 });
    expect(troublesOf(bad, en.quality)).toEqual([
      "11 % lost on upload",
      "one video frozen",
      "300 ms round trip",
    ]);
  });
});

describe("percent", () => {
  it("has a digit after the point where that says something", () => {
    expect([percent(0), percent(4), percent(36), percent(112)]).toEqual([
      "0 %",
      "0.4 %",
      "3.6 %",
      "11 %",
    ]);
  });
});
