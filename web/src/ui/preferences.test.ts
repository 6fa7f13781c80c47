import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { preferences } from "./preferences.ts";

let stored: Map<string, string>;
let tabs: EventTarget;

beforeEach(() => {
  stored = new Map();
  tabs = new EventTarget();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
  vi.stubGlobal("addEventListener", tabs.addEventListener.bind(tabs));
  vi.stubGlobal("removeEventListener", tabs.removeEventListener.bind(tabs));
});

afterEach(() => vi.unstubAllGlobals());

/** What another tab does, as the browser tells of it. */
function writeElsewhere(key: string, value: string): void {
  stored.set(key, value);
  tabs.dispatchEvent(Object.assign(new Event("storage"), { key }));
}

test("a choice is read back in its own type, each in an entry of its own", () => {
  preferences.write("panelWidth", 420);
  preferences.write("theme", "dark");
  expect(preferences.read("panelWidth")).toBe(420);
  expect(preferences.read("theme")).toBe("dark");
  expect(stored.get("moim.panelWidth")).toBe("420");
});

test.each([
  ["moim.theme", "sepia", "theme"],
  ["moim.panelWidth", "wide", "panelWidth"],
  ["moim.panelWidth", "", "panelWidth"],
  ["moim.camera", "maybe", "camera"],
] as const)("%s=%s of another version counts as no choice", (entry, value, key) => {
  stored.set(entry, value);
  expect(preferences.read(key)).toBeUndefined();
});

test("a choice made in another tab arrives, and entries of others are left alone", () => {
  const told = vi.fn();
  const stop = preferences.subscribe(told);
  preferences.write("view", "grid");
  expect(told).toHaveBeenCalledTimes(1);
  writeElsewhere("moim.view", "speaker");
  expect(told).toHaveBeenCalledTimes(2);
  expect(preferences.read("view")).toBe("speaker");
  writeElsewhere("other", "x");
  expect(told).toHaveBeenCalledTimes(2);
  stop();
  writeElsewhere("moim.view", "grid");
  expect(told).toHaveBeenCalledTimes(2);
});

test("without storage a choice lasts as long as the page", () => {
  const refuse = () => {
    throw new DOMException("forbidden", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
  preferences.write("mirror", "off");
  expect(preferences.read("mirror")).toBe("off");
});
