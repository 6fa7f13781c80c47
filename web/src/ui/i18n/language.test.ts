import { describe, expect, test } from "vitest";
import { en } from "./en.ts";
import { ko } from "./ko.ts";
import { chooseLanguage } from "./language.ts";

describe("the language", () => {
  test("is the stored one", () => {
    expect(chooseLanguage("ko", ["en-US"])).toBe("ko");
  });

  test("else the browser's first supported one", () => {
    expect(chooseLanguage(undefined, ["fr-FR", "ko-KR", "en"])).toBe("ko");
    expect(chooseLanguage("tlh", ["en-GB", "ko"])).toBe("en");
  });

  test("else English", () => {
    expect(chooseLanguage(undefined, ["fr"])).toBe("en");
    expect(chooseLanguage("constructor", [])).toBe("en");
  });
});

/** All texts of a catalogue with their paths; functions are called with sample arguments. */
function texts(part: object, path = ""): [string, string][] {
  return Object.entries(part).flatMap(([key, value]): [string, string][] => {
    const fullPath = path + key;
    if (typeof value === "string") return [[fullPath, value]];
    if (typeof value === "function") return [[fullPath, value("산책", 3)]];
    return texts(value, `${fullPath}.`);
  });
}

describe("every text", () => {
  const english = new Map(texts(en));
  test.each(texts(ko))("%s is Korean in the Korean catalogue", (path, korean) => {
    expect(korean.trim()).not.toBe("");
    const hasArgument = english.get(path)?.includes("산책") ?? false;
    if (!hasArgument) expect(korean).toMatch(/[가-힣]/);
    expect(korean).not.toBe(english.get(path));
  });

  test.each(texts(ko))("%s is written in 해요체", (_path, korean) => {
    expect(korean).not.toMatch(/(습니다|십시오|니까)[.?!]?$/);
  });

  test.each([...english])("%s is English in the English catalogue", (_path, text) => {
    expect(text.replaceAll("산책", "")).not.toMatch(/[가-힣]/);
  });
});
