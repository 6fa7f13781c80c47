import { describe, expect, test } from "vitest";
import { ko as admin } from "../admin/texts/ko.ts";
import { ko } from "./ko.ts";
import { koDoctor } from "./ko-doctor.ts";
import { koFiles } from "./ko-files.ts";
import { koPolls } from "./ko-polls.ts";

/** Parameters of texts that are names of people, rooms and things. */
const NAMES = ["name", "room", "by", "first", "second"];

/** All texts of a catalogue with their paths; parameters that are names become "산책". */
function texts(part: object, path = ""): [string, string][] {
  return Object.entries(part).flatMap(([key, value]): [string, string][] => {
    const fullPath = path + key;
    if (typeof value === "string") return [[fullPath, value]];
    if (typeof value === "function") {
      return [[fullPath, value(...parametersOf(value).map(sample))]];
    }
    return texts(value, `${fullPath}.`);
  });
}

function parametersOf(text: () => string): string[] {
  const list = /^\(?([^)=]*)/.exec(String(text))?.[1] ?? "";
  return list.split(",").map((parameter) => parameter.trim());
}

function sample(parameter: string): string | number {
  return NAMES.includes(parameter) ? "산책" : 3;
}

/** A name within Korean words, neither in marks nor before 님. */
const BARE_NAME = /산책(?!님)\s?[가-힣]|[가-힣]\s?산책(?!님)/;
/** A sentence that begins with what belongs to the word before it. */
const LOST_PARTICLE = /(^|[.?!:…]\s+|\n)(없이|부터|까지)/;

describe.each([
  ["pages", texts(ko)],
  ["polls", texts(koPolls)],
  ["files", texts(koFiles)],
  ["connection test", texts(koDoctor)],
  ["admin page", texts(admin)],
])("Korean texts of the %s", (_page, catalogue) => {
  test.each(catalogue)("%s has names in marks or before 님", (_path, text) => {
    expect(text).not.toMatch(BARE_NAME);
  });

  test.each(catalogue)("%s has no sentence that begins with 없이, 부터 or 까지", (_path, text) => {
    expect(text).not.toMatch(LOST_PARTICLE);
  });
});

test("names are found where they stand bare", () => {
  for (const bare of ["산책 방", "산책이 왔어요", "산책 님으로", "방 산책"]) {
    expect(bare).toMatch(BARE_NAME);
  }
  for (const fine of ["‘산책’ 방", "산책님이 왔어요", "산책 (나)", "산책 · 통화", "통화: 산책"]) {
    expect(fine).not.toMatch(BARE_NAME);
  }
  expect(parametersOf(ko.invite.enteredOf as () => string)).toEqual(["used", "uses"]);
});
