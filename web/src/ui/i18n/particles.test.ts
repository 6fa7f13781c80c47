import { describe, expect, test } from "vitest";
import { withParticle } from "./particles.ts";

describe("a particle fits the end of the preceding word", () => {
  test.each([
    ["지우", "지우가"],
    ["민준", "민준이"],
    ["하늘", "하늘이"],
    ["7", "7이"],
    ["방2", "방2가"],
    ["room 3", "room 3이"],
    ["Alice", "Alice가"],
    ["Tom", "Tom이"],
    ["Jane", "Jane이"],
    ["Rick", "Rick이"],
    ["Nicole", "Nicole이"],
    ["Bob", "Bob이(가)"],
    ["M", "M이"],
    ["A", "A가"],
    ["지우 🎉", "지우 🎉가"],
    ["‘민준’", "‘민준’이"],
    ["🎉", "🎉이(가)"],
    ["", "이(가)"],
  ])("%s", (word, expected) => {
    expect(withParticle(word, "이/가")).toBe(expected);
  });

  test("은/는, 을/를, 과/와", () => {
    expect(withParticle("회의", "은/는")).toBe("회의는");
    expect(withParticle("모임", "은/는")).toBe("모임은");
    expect(withParticle("모임", "을/를")).toBe("모임을");
    expect(withParticle("지우", "과/와")).toBe("지우와");
  });

  test("으로 loses its vowel after ㄹ too", () => {
    expect(withParticle("서울", "으로/로")).toBe("서울로");
    expect(withParticle("회의", "으로/로")).toBe("회의로");
    expect(withParticle("모임", "으로/로")).toBe("모임으로");
    expect(withParticle("?", "으로/로")).toBe("?(으)로");
  });

  test("a decomposed name, as macOS sends it, gets the same particle", () => {
    expect(withParticle("민준".normalize("NFD"), "이/가").normalize("NFC")).toBe("민준이");
  });
});
