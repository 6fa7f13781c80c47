import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { questionOf } from "./question.ts";

const off = { opening: false, problem: null };
const opening = { opening: true, problem: null };
const { willAsk } = en.reach.lobby;

test("the devices that are being opened are named", () => {
  expect(questionOf(true, opening, opening, en)).toBe(willAsk.both);
  expect(questionOf(true, off, opening, en)).toBe(willAsk.camera);
  expect(questionOf(true, opening, off, en)).toBe(willAsk.microphone);
});

test("nothing is said once the browser knows, nothing opens, or an alert says more", () => {
  expect(questionOf(false, opening, opening, en)).toBeNull();
  expect(questionOf(true, off, off, en)).toBeNull();
  expect(questionOf(true, off, { opening: true, problem: "asking" }, en)).toBeNull();
});
