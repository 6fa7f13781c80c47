import { expect, test, vi } from "vitest";
import { Store } from "./store.ts";

test("a store calls its listeners on changes only, until they unsubscribe", () => {
  const store = new Store(1);
  const listener = vi.fn();
  const unsubscribe = store.subscribe(listener);
  store.set(1);
  expect(listener).not.toHaveBeenCalled();
  store.set(2);
  store.update((n) => n + 1);
  expect(listener).toHaveBeenCalledTimes(2);
  expect(store.getSnapshot()).toBe(3);
  unsubscribe();
  store.set(4);
  expect(listener).toHaveBeenCalledTimes(2);
});

test("a listener that throws is reported and does not stop the others", () => {
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
