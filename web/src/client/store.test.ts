import { expect, test, vi } from "vitest";
import { Store } from "./store.ts";

test("a store tells its listeners of changes only, until they leave", () => {
  const store = new Store(1);
  const listener = vi.fn();
  const leave = store.subscribe(listener);
  store.set(1);
  expect(listener).not.toHaveBeenCalled();
  store.set(2);
  store.update((n) => n + 1);
  expect(listener).toHaveBeenCalledTimes(2);
  expect(store.getSnapshot()).toBe(3);
  leave();
  store.set(4);
  expect(listener).toHaveBeenCalledTimes(2);
});

test("a listener that throws is reported, and keeps the change from nobody else", () => {
  const reported = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
  const store = new Store(1);
  const listener = vi.fn();
  store.subscribe(() => {
    throw new Error("broken");
  });
  store.subscribe(listener);
  expect(() => store.set(2)).not.toThrow();
  expect(listener).toHaveBeenCalledOnce();
  expect(reported).toHaveBeenCalledOnce();
  reported.mockRestore();
});
