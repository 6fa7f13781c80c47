import { expect, test } from "vitest";
import { parseRooms, VisitedRooms } from "./visited-rooms.ts";

function memory() {
  const items = new Map<string, string>();
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  return { items, rooms: new VisitedRooms(() => storage) };
}

const names = (rooms: VisitedRooms) => rooms.getSnapshot().map(({ name }) => name);

test("the last five rooms are kept, the newest first, each once", () => {
  const { rooms } = memory();
  for (const name of ["a", "b", "c", "d", "e", "f", "c"]) rooms.visit(name);
  expect(names(rooms)).toHaveLength(5);
  expect(names(rooms)).not.toContain("a");
  expect(names(rooms).filter((name) => name === "c")).toHaveLength(1);
});

test("a pinned room comes first and stays, however many follow", () => {
  const { rooms } = memory();
  rooms.visit("weekly");
  rooms.pin("weekly", true);
  for (const name of ["a", "b", "c", "d", "e", "f"]) rooms.visit(name);
  expect(names(rooms)[0]).toBe("weekly");
  expect(names(rooms)).toHaveLength(6);
  rooms.visit("weekly");
  expect(rooms.getSnapshot()[0]).toMatchObject({ name: "weekly", isPinned: true });
});

test("of a locked room it is known until a visit without a password", () => {
  const { rooms } = memory();
  rooms.visit("safe", true);
  rooms.visit("open");
  expect([rooms.wasLocked("safe"), rooms.wasLocked("open"), rooms.wasLocked("new")]).toEqual([
    true,
    false,
    false,
  ]);
  rooms.pin("safe", true);
  expect(rooms.wasLocked("safe")).toBe(true);
  rooms.visit("safe");
  expect(rooms.wasLocked("safe")).toBe(false);
});

test("a removed room is forgotten, and forgetting all leaves nothing on the device", () => {
  const { items, rooms } = memory();
  rooms.visit("a");
  rooms.visit("b");
  rooms.remove("a");
  expect(names(rooms)).toEqual(["b"]);
  rooms.forgetAll();
  expect(names(rooms)).toEqual([]);
  expect(items.size).toBe(0);
});

test("the snapshot is the same until something changes", () => {
  const { rooms } = memory();
  rooms.visit("a");
  const before = rooms.getSnapshot();
  expect(rooms.getSnapshot()).toBe(before);
  rooms.visit("b");
  expect(rooms.getSnapshot()).not.toBe(before);
});

test("what is no list of rooms is dropped", () => {
  for (const stored of [null, "", "{", "{}", "null", '["a",null,{"name":""},{"name":"a"}]']) {
    expect(parseRooms(stored)).toEqual([]);
  }
});

test("a device that stores nothing has no rooms", () => {
  const rooms = new VisitedRooms(() => {
    throw new Error("forbidden");
  });
  rooms.visit("a");
  expect(rooms.getSnapshot()).toEqual([]);
});
