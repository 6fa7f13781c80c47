import { describe, expect, test } from "vitest";
import { FakeStorage } from "../../../packages/client/src/testing/storage.ts";
import { TileSettingsStore, USUAL } from "./tile-settings.ts";

describe("settings of tiles", () => {
  test("are the usual ones until they change, and only for that tile", () => {
    const store = new TileSettingsStore(() => new FakeStorage());
    let changes = 0;
    store.subscribe(() => changes++);
    store.set("a", { volume: 0.4 });
    store.set("a", { isMuted: true });
    expect(store.of("a")).toEqual({ volume: 0.4, isMuted: true, fit: null });
    expect(store.of("b")).toBe(USUAL);
    expect(changes).toBe(2);
  });

  test("survive a reload, but not what is damaged", () => {
    const items = new FakeStorage();
    const storage = () => items;
    new TileSettingsStore(storage).set("a", { fit: "cover" });
    expect(new TileSettingsStore(storage).of("a")).toEqual({ ...USUAL, fit: "cover" });
    const entries = [["a", { volume: 2, isMuted: false }], ["b", null], 7];
    items.setItem("moim.tiles", JSON.stringify(entries));
    expect(new TileSettingsStore(storage).of("a")).toBe(USUAL);
    items.setItem("moim.tiles", "{");
    expect(new TileSettingsStore(storage).of("a")).toBe(USUAL);
  });

  test("last as long as the page where storage is forbidden", () => {
    const store = new TileSettingsStore(() => {
      throw new DOMException("forbidden", "SecurityError");
    });
    store.set("a", { isMuted: true });
    expect(store.of("a").isMuted).toBe(true);
  });
});
