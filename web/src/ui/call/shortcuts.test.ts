import { expect, test } from "vitest";
import { keysOf, shortcutOf } from "./shortcuts.ts";

const plain = {
  key: "d",
  code: "KeyD",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
  keyCode: 68,
};

test("Ctrl on PCs and ⌘ on Macs, never the other", () => {
  expect(shortcutOf({ ...plain, ctrlKey: true }, false)).toBe("mic");
  expect(shortcutOf({ ...plain, metaKey: true }, true)).toBe("mic");
  expect(shortcutOf({ ...plain, ctrlKey: true }, true)).toBeNull();
  expect(shortcutOf({ ...plain, metaKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, key: "E", code: "KeyE", ctrlKey: true }, false)).toBe("camera");
});

test("plain letters, other modifiers and held keys are left alone", () => {
  expect(shortcutOf(plain, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, shiftKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, altKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, repeat: true }, false)).toBeNull();
});

test("a Korean layout, whose D key types ㅇ, works too", () => {
  expect(shortcutOf({ ...plain, key: "ㅇ", ctrlKey: true }, false)).toBe("mic");
});

test("keys that an input method has taken are left to it", () => {
  const ctrl = { ...plain, ctrlKey: true };
  expect(shortcutOf({ ...ctrl, isComposing: true }, false)).toBeNull();
  expect(shortcutOf({ ...ctrl, keyCode: 229 }, false)).toBeNull();
});

test("shown as keyboards show it", () => {
  expect(keysOf("mic", true)).toBe("⌘D");
  expect(keysOf("camera", false)).toBe("Ctrl+E");
});
