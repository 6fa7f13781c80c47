import { beforeEach, expect, test, vi } from "vitest";

const stored = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => void stored.set(key, value),
});

/** As after a load of the page. */
async function loaded() {
  vi.resetModules();
  return (await import("./own-name.ts")).ownName;
}

beforeEach(() => stored.clear());

test("a name from an address holds for the document and replaces none that is remembered", async () => {
  (await loaded()).remember("Real");
  for (const isTrusted of [true, false]) {
    const ownName = await loaded();
    ownName.takeFromAddress("Planted", isTrusted);
    expect(ownName.read()).toBe("Planted");
    expect((await loaded()).read()).toBe("Real");
  }
});

test("where none is remembered a name is taken from an address, unless another site led to it", async () => {
  (await loaded()).takeFromAddress("Planted", false);
  expect((await loaded()).read()).toBeUndefined();
  (await loaded()).takeFromAddress("Ann", true);
  expect((await loaded()).read()).toBe("Ann");
});

test("what the person typed is read at once and after a load", async () => {
  const ownName = await loaded();
  ownName.takeFromAddress("Planted", false);
  ownName.remember("Ann");
  expect(ownName.read()).toBe("Ann");
  expect((await loaded()).read()).toBe("Ann");
});
