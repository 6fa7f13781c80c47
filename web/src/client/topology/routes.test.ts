import { expect, test } from "vitest";
import type { Topology } from "../protocol.ts";
import {
  meshPeers,
  NO_ROUTES,
  pendingHandovers,
  type Routes,
  type RoutesEvent,
  reduceRoutes,
  routeTo,
} from "./routes.ts";

/** A room with these others; those with a star can't use the media server. */
function room(topology: Topology, ...names: string[]): RoutesEvent {
  const others = names.map((name) => ({ id: name.replace("*", ""), direct: name.endsWith("*") }));
  return { is: "room", topology, others };
}

function lived(...messages: RoutesEvent[]): Routes {
  return messages.reduce(reduceRoutes, NO_ROUTES);
}

const sent = (id: string, topology: Topology = "sfu") =>
  ({ is: "handover:sent", id, topology }) as const;
const received = (id: string, topology: Topology = "sfu") =>
  ({ is: "handover:received", id, topology }) as const;

test("a mesh links everybody, and has nothing to tell", () => {
  const routes = lived(room("mesh", "a", "b"));
  expect(meshPeers(routes)).toEqual(["a", "b"]);
  expect(routes.sfu).toBe(false);
  expect(pendingHandovers(routes)).toEqual([]);
});

test("on the way to the server a link stays until both have told, in whichever order", () => {
  const routes = lived(room("mesh", "a"), room("sfu", "a", "b"));
  expect(routes.sfu).toBe(true);
  expect(meshPeers(routes)).toEqual(["a"]);
  expect(pendingHandovers(routes)).toEqual(["a", "b"]);
  for (const [first, second] of [
    [sent("a"), received("a")],
    [received("a"), sent("a")],
  ] as const) {
    expect(meshPeers(reduceRoutes(routes, first))).toEqual(["a"]);
    expect(meshPeers(reduceRoutes(reduceRoutes(routes, first), second))).toEqual([]);
  }
});

test("who comes into a room at the server is not meshPeers, but told all the same", () => {
  const routes = lived(room("sfu", "a", "b"));
  expect(meshPeers(routes)).toEqual([]);
  expect(pendingHandovers(routes)).toEqual(["a", "b"]);
});

test("an offer from before the other heard of the server is answered, until handed over", () => {
  const routes = lived(room("sfu", "a"), { is: "mesh:offered", id: "a" });
  expect(meshPeers(routes)).toEqual(["a"]);
  const over = [sent("a"), received("a")].reduce(reduceRoutes, routes);
  expect(meshPeers(over)).toEqual([]);
  expect(meshPeers(reduceRoutes(over, { is: "mesh:offered", id: "a" }))).toEqual([]);
});

test("who can't use the server stays linked with everybody", () => {
  const routes = lived(room("mesh", "a*"), room("sfu", "a*", "b", "c"));
  expect(meshPeers(routes)).toEqual(["a"]);
  expect(routeTo(routes, "a")).toBe("mesh");
  expect(routeTo(routes, "b")).toBe("sfu");
  expect(pendingHandovers(routes)).toEqual(["b", "c"]);
});

test("somebody whose server link fails later is linked again, by both", () => {
  const over = [sent("a"), received("a")].reduce(reduceRoutes, lived(room("sfu", "a", "b")));
  expect(meshPeers(reduceRoutes(over, room("sfu", "a*", "b")))).toEqual(["a"]);
});

test("without the server this device links with everybody, and hands over once it is there", () => {
  const down = lived(room("mesh", "a"), room("sfu", "a", "b"), sent("a"), received("a"), {
    is: "sfu:down",
  });
  expect(meshPeers(down)).toEqual(["a", "b"]);
  expect(down).toMatchObject({ direct: true, sfu: false });
  const retrying = reduceRoutes(down, { is: "sfu:retry" });
  expect(retrying.sfu).toBe(true);
  expect(meshPeers(retrying)).toEqual(["a", "b"]);
  expect(reduceRoutes(retrying, { is: "sfu:down" }).sfu).toBe(false);
  const up = reduceRoutes(retrying, { is: "sfu:up" });
  expect(up).toMatchObject({ direct: false, sfu: true });
  expect(meshPeers(up)).toEqual(["a", "b"]);
  expect(meshPeers([sent("a"), received("a")].reduce(reduceRoutes, up))).toEqual(["b"]);
});

test("on the way back the server stays until everybody has told and heard", () => {
  const back = lived(room("sfu", "a", "b"), sent("a"), received("a"), room("mesh", "a"));
  expect(meshPeers(back)).toEqual(["a"]);
  expect(back.sfu).toBe(true);
  expect(pendingHandovers(back)).toEqual(["a"]);
  expect(reduceRoutes(back, sent("a", "mesh")).sfu).toBe(true);
  expect([sent("a", "mesh"), received("a", "mesh")].reduce(reduceRoutes, back).sfu).toBe(false);
});

test("on the way back the server is left when the last other leaves, and does not wait for who never used it", () => {
  expect(lived(room("sfu", "a", "b"), room("mesh", "a"), room("mesh")).sfu).toBe(false);
  expect(lived(room("sfu", "a*", "b"), room("mesh", "a*")).sfu).toBe(false);
});

test("what is told of a past topology counts for nothing", () => {
  const routes = lived(room("mesh", "a"), room("sfu", "a"), received("a", "mesh"), sent("a"));
  expect(meshPeers(routes)).toEqual(["a"]);
  const again = lived(
    room("sfu", "a"),
    sent("a"),
    received("a"),
    room("mesh", "a"),
    room("sfu", "a"),
  );
  expect(pendingHandovers(again)).toEqual(["a"]);
  expect(meshPeers(again)).toEqual(["a"]);
});
