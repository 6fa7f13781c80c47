import { beforeEach, expect, test, vi } from "vitest";

const stored = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => void stored.set(key, value),
});

/** Loads the module again, as a page load does. */
async function loadPage() {
  vi.resetModules();
  return (await import("./own-name.ts")).ownName;
}

beforeEach(() => stored.clear());

test("a name from the address applies to the document and replaces no stored one", async () => {
  (await loadPage()).remember("Real");
  for (const isTrusted of [true, false]) {
    const ownName = await loadPage();
    ownName.takeFromAddress("Planted", isTrusted);
    expect(ownName.read()).toBe("Planted");
    expect((await loadPage()).read()).toBe("Real");
  }
});

test("a name from the address is stored if none was, unless another site linked it", async () => {
  (await loadPage()).takeFromAddress("Planted", false);
  expect((await loadPage()).read()).toBeUndefined();
  (await loadPage()).takeFromAddress("Ann", true);
  expect((await loadPage()).read()).toBe("Ann");
});

test("a typed name applies at once and after a page load", async () => {
  const ownName = await loadPage();
  ownName.takeFromAddress("Planted", false);
  ownName.remember("Ann");
  expect(ownName.read()).toBe("Ann");
  expect((await loadPage()).read()).toBe("Ann");
});
