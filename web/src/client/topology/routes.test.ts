import { expect, test } from "vitest";
import type { Topology } from "../protocol.ts";
import { after, linked, NO_WAYS, untold, type Ways, type WaysMessage, wayTo } from "./routes.ts";

/** A room with these others; those with a star can't use the media server. */
function room(topology: Topology, ...names: string[]): WaysMessage {
  const others = names.map((name) => ({ id: name.replace("*", ""), direct: name.endsWith("*") }));
  return { is: "room", topology, others };
}

function lived(...messages: WaysMessage[]): Ways {
  return messages.reduce(after, NO_WAYS);
}

const told = (id: string, topology: Topology = "sfu") => ({ is: "told", id, topology }) as const;
const heard = (id: string, topology: Topology = "sfu") => ({ is: "heard", id, topology }) as const;

test("a mesh links everybody, and has nothing to tell", () => {
  const ways = lived(room("mesh", "a", "b"));
  expect(linked(ways)).toEqual(["a", "b"]);
  expect(ways.sfu).toBe(false);
  expect(untold(ways)).toEqual([]);
});

test("on the way to the server a link stays until both have told, in whichever order", () => {
  const ways = lived(room("mesh", "a"), room("sfu", "a", "b"));
  expect(ways.sfu).toBe(true);
  expect(linked(ways)).toEqual(["a"]);
  expect(untold(ways)).toEqual(["a", "b"]);
  for (const [first, second] of [
    [told("a"), heard("a")],
    [heard("a"), told("a")],
  ] as const) {
    expect(linked(after(ways, first))).toEqual(["a"]);
    expect(linked(after(after(ways, first), second))).toEqual([]);
  }
});

test("who comes into a room at the server is not linked, but told all the same", () => {
  const ways = lived(room("sfu", "a", "b"));
  expect(linked(ways)).toEqual([]);
  expect(untold(ways)).toEqual(["a", "b"]);
});

test("an offer from before the other heard of the server is answered, until handed over", () => {
  const ways = lived(room("sfu", "a"), { is: "offered", id: "a" });
  expect(linked(ways)).toEqual(["a"]);
  const over = [told("a"), heard("a")].reduce(after, ways);
  expect(linked(over)).toEqual([]);
  expect(linked(after(over, { is: "offered", id: "a" }))).toEqual([]);
});

test("who can't use the server stays linked with everybody", () => {
  const ways = lived(room("mesh", "a*"), room("sfu", "a*", "b", "c"));
  expect(linked(ways)).toEqual(["a"]);
  expect(wayTo(ways, "a")).toBe("mesh");
  expect(wayTo(ways, "b")).toBe("sfu");
  expect(untold(ways)).toEqual(["b", "c"]);
});

test("somebody whose server link fails later is linked again, by both", () => {
  const over = [told("a"), heard("a")].reduce(after, lived(room("sfu", "a", "b")));
  expect(linked(after(over, room("sfu", "a*", "b")))).toEqual(["a"]);
});

test("without the server this device links with everybody, and hands over once it is there", () => {
  const down = lived(room("mesh", "a"), room("sfu", "a", "b"), told("a"), heard("a"), {
    is: "sfu:down",
  });
  expect(linked(down)).toEqual(["a", "b"]);
  expect(down).toMatchObject({ direct: true, sfu: false });
  const trying = after(down, { is: "sfu:again" });
  expect(trying.sfu).toBe(true);
  expect(linked(trying)).toEqual(["a", "b"]);
  expect(after(trying, { is: "sfu:down" }).sfu).toBe(false);
  const up = after(trying, { is: "sfu:up" });
  expect(up).toMatchObject({ direct: false, sfu: true });
  expect(linked(up)).toEqual(["a", "b"]);
  expect(linked([told("a"), heard("a")].reduce(after, up))).toEqual(["b"]);
});

test("on the way back the server stays until everybody has told and heard", () => {
  const back = lived(room("sfu", "a", "b"), told("a"), heard("a"), room("mesh", "a"));
  expect(linked(back)).toEqual(["a"]);
  expect(back.sfu).toBe(true);
  expect(untold(back)).toEqual(["a"]);
  expect(after(back, told("a", "mesh")).sfu).toBe(true);
  expect([told("a", "mesh"), heard("a", "mesh")].reduce(after, back).sfu).toBe(false);
});

test("on the way back the server is left when the last other leaves, and does not wait for who never used it", () => {
  expect(lived(room("sfu", "a", "b"), room("mesh", "a"), room("mesh")).sfu).toBe(false);
  expect(lived(room("sfu", "a*", "b"), room("mesh", "a*")).sfu).toBe(false);
});

test("what is told of a past topology counts for nothing", () => {
  const ways = lived(room("mesh", "a"), room("sfu", "a"), heard("a", "mesh"), told("a"));
  expect(linked(ways)).toEqual(["a"]);
  const again = lived(room("sfu", "a"), told("a"), heard("a"), room("mesh", "a"), room("sfu", "a"));
  expect(untold(again)).toEqual(["a"]);
  expect(linked(again)).toEqual(["a"]);
});
