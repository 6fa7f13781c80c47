import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { questionOf } from "./question.ts";

const off = { opening: false, problem: null };
const opening = { opening: true, problem: null };
const both = { microphone: true, camera: true };
const { willAsk } = en.reach.lobby;

test("the devices that are being opened are named", () => {
  expect(questionOf(both, opening, opening, en)).toBe(willAsk.both);
  expect(questionOf(both, off, opening, en)).toBe(willAsk.camera);
  expect(questionOf(both, opening, off, en)).toBe(willAsk.microphone);
});

test("a device that was allowed before is not asked about", () => {
  expect(questionOf({ ...both, camera: false }, opening, opening, en)).toBe(willAsk.microphone);
  expect(questionOf({ ...both, microphone: false }, opening, opening, en)).toBe(willAsk.camera);
  expect(questionOf({ ...both, microphone: false }, opening, off, en)).toBeNull();
});

test("nothing is said once the browser knows, nothing opens, or an alert says more", () => {
  expect(questionOf({ microphone: false, camera: false }, opening, opening, en)).toBeNull();
  expect(questionOf(both, off, off, en)).toBeNull();
  expect(questionOf(both, off, { opening: true, problem: "asking" }, en)).toBeNull();
});
