import { expect, test } from "vitest";
import { isTalkKey } from "./push-to-talk.ts";

const NOTHING = { isField: false, isNone: true };
const BUTTON = { isField: false, isNone: false };
const FIELD = { isField: true, isNone: false };

function press(code: string, change: Partial<KeyboardEvent> = {}) {
  const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  return { code, ...plain, isComposing: false, keyCode: 0, ...change };
}

test("V talks anywhere but in fields", () => {
  expect([NOTHING, BUTTON, FIELD].map((focus) => isTalkKey(press("KeyV"), focus))).toEqual([
    true,
    true,
    false,
  ]);
});

test("the space bar talks only where it presses no button", () => {
  expect([NOTHING, BUTTON, FIELD].map((focus) => isTalkKey(press("Space"), focus))).toEqual([
    true,
    false,
    false,
  ]);
});

test("shortcuts, composed text and other keys do not talk", () => {
  expect(isTalkKey(press("KeyV", { ctrlKey: true }), NOTHING)).toBe(false);
  expect(isTalkKey(press("KeyV", { isComposing: true }), NOTHING)).toBe(false);
  expect(isTalkKey(press("KeyB"), NOTHING)).toBe(false);
});
