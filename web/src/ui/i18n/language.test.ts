import { describe, expect, test } from "vitest";
import { catalogues, chooseLanguage } from "./language.ts";

describe("the language", () => {
  test("is the remembered one before all", () => {
    expect(chooseLanguage("ko", ["en-US"])).toBe("ko");
  });

  test("else the first of the browser's that we speak", () => {
    expect(chooseLanguage(undefined, ["fr-FR", "ko-KR", "en"])).toBe("ko");
    expect(chooseLanguage("tlh", ["en-GB", "ko"])).toBe("en");
  });

  test("else English", () => {
    expect(chooseLanguage(undefined, ["fr"])).toBe("en");
    expect(chooseLanguage("constructor", [])).toBe("en");
  });
});

/** Every text of a catalogue, by its path; functions are called with stand-ins. */
function texts(part: object, path = ""): [string, string][] {
  return Object.entries(part).flatMap(([key, value]): [string, string][] => {
    const here = path + key;
    if (typeof value === "string") return [[here, value]];
    if (typeof value === "function") return [[here, value("산책", 3)]];
    return texts(value, `${here}.`);
  });
}

const INTERNATIONAL = ["language"];

describe("every text", () => {
  const english = new Map(texts(catalogues.en));
  test.each(texts(catalogues.ko))("%s is Korean where it is read in Korean", (path, korean) => {
    expect(korean.trim()).not.toBe("");
    const hasArgument = english.get(path)?.includes("산책") ?? false;
    if (!hasArgument && !INTERNATIONAL.includes(path)) expect(korean).toMatch(/[가-힣]/);
    expect(korean).not.toBe(english.get(path));
  });

  test.each(texts(catalogues.ko))("%s speaks in 해요체", (_path, korean) => {
    expect(korean).not.toMatch(/(습니다|십시오|니까)[.?!]?$/);
  });

  test.each([...english])("%s is English where it is read in English", (_path, text) => {
    expect(text.replaceAll("산책", "")).not.toMatch(/[가-힣]/);
  });
});
