import { expect, test } from "vitest";
import { findKeptCall, forgetCall, type KeptCall, keepCall } from "./kept-call.ts";

const call: KeptCall = { room: "tea", name: "Ada", password: "secret" };

function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

test("a page returns to the call that it was in, with the name and the password", () => {
  const tab = storage();
  keepCall(tab, call, 1_000);
  expect(findKeptCall(tab, "tea", 30_000)).toEqual(call);
  expect(findKeptCall(tab, "coffee", 30_000)).toBe(null);
});

test("a page does not return to a call that was left, or hours later", () => {
  const tab = storage();
  keepCall(tab, call, 0);
  expect(findKeptCall(tab, "tea", 3 * 60_000)).toBe(null);
  keepCall(tab, call, 0);
  forgetCall(tab);
  expect(findKeptCall(tab, "tea", 1_000)).toBe(null);
});

test("storage that is missing, forbidden or altered keeps nothing", () => {
  const forbidden = () => {
    throw new Error("forbidden");
  };
  const closed = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };
  for (const store of [undefined, closed]) {
    keepCall(store, call, 0);
    expect(findKeptCall(store, "tea", 0)).toBe(null);
    forgetCall(store);
  }
  for (const altered of ["[", "null", "7", '{"room":"tea","name":7,"password":"","at":0}']) {
    const tab = storage();
    tab.setItem("moim.kept-call", altered);
    expect(findKeptCall(tab, "tea", 0)).toBe(null);
  }
});
