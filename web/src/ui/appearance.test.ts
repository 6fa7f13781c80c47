import { afterEach, beforeEach, expect, test, vi } from "vitest";

const stored = new Map<string, string>();
const dataset: Record<string, string> = {};

/** The page as it starts at this address. */
async function start(search: string) {
  vi.resetModules();
  vi.stubGlobal("location", { search });
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
  vi.stubGlobal("document", { documentElement: { dataset }, querySelectorAll: () => [] });
  const { followAppearance, theme } = await import("./appearance.ts");
  followAppearance();
  return theme;
}

beforeEach(() => stored.clear());
afterEach(() => vi.unstubAllGlobals());

test("the colours of the address are shown as chosen", async () => {
  stored.set("moim.theme", "light");
  const theme = await start("?theme=dark");
  expect(dataset.theme).toBe("dark");
  expect(theme.shown()).toBe("dark");
});

test("a choice ends the colours of the address, also if it is the stored one", async () => {
  for (const choice of ["light", "system"] as const) {
    stored.set("moim.theme", "light");
    const theme = await start("?theme=dark");
    theme.choose(choice);
    expect(theme.shown()).toBe(choice);
    expect(dataset.theme).toBe(choice);
  }
});
