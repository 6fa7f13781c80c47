import { expect, test } from "vitest";
import { keysOf, shortcutOf } from "../parts/shortcuts.ts";

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

test("the modifier is Ctrl on PCs and ⌘ on Macs", () => {
  expect(shortcutOf({ ...plain, ctrlKey: true }, false)).toBe("mic");
  expect(shortcutOf({ ...plain, metaKey: true }, true)).toBe("mic");
  expect(shortcutOf({ ...plain, ctrlKey: true }, true)).toBeNull();
  expect(shortcutOf({ ...plain, metaKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, key: "E", code: "KeyE", ctrlKey: true }, false)).toBe("camera");
});

test("plain letters, other modifiers and held keys are ignored", () => {
  expect(shortcutOf(plain, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, shiftKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, altKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...plain, ctrlKey: true, repeat: true }, false)).toBeNull();
});

test("shortcuts work with a Korean layout, whose D key types ㅇ", () => {
  expect(shortcutOf({ ...plain, key: "ㅇ", ctrlKey: true }, false)).toBe("mic");
});

test("keys processed by an input method are ignored", () => {
  const ctrl = { ...plain, ctrlKey: true };
  expect(shortcutOf({ ...ctrl, isComposing: true }, false)).toBeNull();
  expect(shortcutOf({ ...ctrl, keyCode: 229 }, false)).toBeNull();
});

test("shortcuts are shown in the platform's notation", () => {
  expect(keysOf("mic", true)).toBe("⌘D");
  expect(keysOf("camera", false)).toBe("Ctrl+E");
});

test("F2 leads to the controls, from fields as well", () => {
  const f2 = { ...plain, key: "F2", code: "F2" };
  expect(shortcutOf(f2, false, true)).toBe("bar");
  expect(shortcutOf({ ...f2, shiftKey: true }, false)).toBeNull();
});

test("the list opens by a question mark outside fields, and by the modifier anywhere", () => {
  const question = { ...plain, key: "?", code: "Slash", shiftKey: true };
  expect(shortcutOf(question, false)).toBe("help");
  expect(shortcutOf(question, false, true)).toBeNull();
  expect(shortcutOf({ ...question, ctrlKey: true }, false, true)).toBe("help");
  // Browsers may name the key without its shift.
  expect(shortcutOf({ ...question, key: "/", metaKey: true }, true, true)).toBe("help");
});
