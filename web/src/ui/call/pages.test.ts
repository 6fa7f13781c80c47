import { describe, expect, test } from "vitest";
import { NO_ORDER, type OrderInput, pagingOf, reduceOrder, type TileOrder } from "./pages.ts";

const input = (changes: Partial<OrderInput>): OrderInput => ({
  present: ["a", "b", "c", "d", "e", "f"],
  screens: new Set(),
  speaking: [],
  large: null,
  shown: { start: 0, end: 3 },
  ...changes,
});

const run = (order: TileOrder, ...inputs: Partial<OrderInput>[]) =>
  inputs.reduce((now, changes) => reduceOrder(now, input(changes)), order);

describe("the order of tiles", () => {
  const begin = run(NO_ORDER, {});

  test("is that in which they came, with newcomers last and screens first", () => {
    expect(begin.keys).toEqual(["a", "b", "c", "d", "e", "f"]);
    const present = ["s", "n", "a", "b", "d", "e", "f"];
    const next = run(begin, { present, screens: new Set(["s"]) });
    expect(next.keys).toEqual(["s", "a", "b", "d", "e", "f", "n"]);
  });

  test("does not change while those who speak are in sight, nor by repeating itself", () => {
    expect(run(begin, { speaking: ["b"] }).keys).toEqual(begin.keys);
    const speaking = run(begin, { speaking: ["f", "b"] });
    expect(run(speaking, { speaking: ["f", "b"] })).toBe(speaking);
  });

  test("lets a speaker out of sight change places with one who is silent, and nobody else", () => {
    const next = run(begin, { speaking: ["e"] });
    expect(next.keys).toEqual(["a", "b", "e", "d", "c", "f"]);
    // The first has spoken before: the second has been silent longer.
    const third = run(next, { speaking: ["a"] }, { speaking: [] }, { speaking: ["f"] });
    expect(third.keys).toEqual(["a", "f", "e", "d", "c", "b"]);
    expect(third.spoke).toEqual(["f", "a", "e"]);
  });

  test("brings speakers onto the page that is shown", () => {
    const next = run(begin, { speaking: ["a"], shown: { start: 3, end: 6 } });
    expect(next.keys).toEqual(["f", "b", "c", "d", "e", "a"]);
  });

  test("moves neither shared screens nor others who speak", () => {
    const shared = { present: ["s", "a", "b", "c", "d", "e"], screens: new Set(["s"]) };
    const next = run(NO_ORDER, shared, { ...shared, speaking: ["a", "b", "e"] });
    expect(next.keys).toEqual(["s", "a", "b", "c", "d", "e"]);
    expect(run(next, { ...shared, speaking: ["a", "d"] }).keys).toEqual([
      "s",
      "a",
      "d",
      "c",
      "b",
      "e",
    ]);
  });

  test("puts whoever was large into the place of who is now", () => {
    const strip = { shown: { start: 0, end: 6 } };
    const of = (order: TileOrder) => order.keys.filter((key) => key !== order.large);
    const first = run(begin, { ...strip, large: "a" });
    expect(of(first)).toEqual(["b", "c", "d", "e", "f"]);
    const second = run(first, { ...strip, large: "d" });
    expect(of(second)).toEqual(["b", "c", "a", "e", "f"]);
  });

  test("settles at once whatever happens: rendering repeats it until it does", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const some = () => "abcdefgh".split("").filter(() => random(2) === 0);
    let order = NO_ORDER;
    for (let i = 0; i < 500; i++) {
      const present = some();
      const start = random(4);
      const changes = {
        present,
        screens: new Set(present.filter(() => random(5) === 0)),
        speaking: some(),
        large: present[random(8)] ?? null,
        shown: { start, end: start + random(4) },
      };
      order = run(order, changes);
      expect([...order.keys].sort()).toEqual([...present].sort());
      expect(run(order, changes)).toBe(order);
    }
  });

  test("has room for more speakers than places", () => {
    const all = run(begin, { speaking: ["a", "b", "c", "d", "e", "f"] });
    expect(all.keys).toEqual(begin.keys);
  });
});

test("pages hold as many as fit, with the user on each", () => {
  expect(pagingOf(8, 1, 9)).toEqual({ pages: 1, perPage: 8 });
  expect(pagingOf(9, 1, 9)).toEqual({ pages: 2, perPage: 8 });
  expect(pagingOf(30, 1, 8)).toEqual({ pages: 5, perPage: 7 });
  expect(pagingOf(30, 0, 8)).toEqual({ pages: 4, perPage: 8 });
  expect(pagingOf(0, 1, 2)).toEqual({ pages: 1, perPage: 1 });
});
