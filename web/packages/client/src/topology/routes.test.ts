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

/** A room with these participants; those with a star can't use the media server. */
function room(topology: Topology, ...names: string[]): RoutesEvent {
  const others = names.map((name) => ({ id: name.replace("*", ""), direct: name.endsWith("*") }));
  return { is: "room", topology, others };
}

function through(...events: RoutesEvent[]): Routes {
  return events.reduce(reduceRoutes, NO_ROUTES);
}

const sent = (id: string, topology: Topology = "sfu") =>
  ({ is: "handover:sent", id, topology }) as const;
const received = (id: string, topology: Topology = "sfu") =>
  ({ is: "handover:received", id, topology }) as const;

test("a mesh links every participant and needs no handover", () => {
  const routes = through(room("mesh", "a", "b"));
  expect(meshPeers(routes)).toEqual(["a", "b"]);
  expect(routes.sfu).toBe(false);
  expect(pendingHandovers(routes)).toEqual([]);
});

test("a mesh link stays until both ends have sent a handover, in either order", () => {
  const routes = through(room("mesh", "a"), room("sfu", "a", "b"));
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

test("a new participant at the media server gets a handover without a mesh link", () => {
  const routes = through(room("sfu", "a", "b"));
  expect(meshPeers(routes)).toEqual([]);
  expect(pendingHandovers(routes)).toEqual(["a", "b"]);
});

test("an offer from before the topology changed gets a mesh link until the handover", () => {
  const routes = through(room("sfu", "a"), { is: "mesh:offered", id: "a" });
  expect(meshPeers(routes)).toEqual(["a"]);
  const over = [sent("a"), received("a")].reduce(reduceRoutes, routes);
  expect(meshPeers(over)).toEqual([]);
  expect(meshPeers(reduceRoutes(over, { is: "mesh:offered", id: "a" }))).toEqual([]);
});

test("a direct participant keeps its mesh link", () => {
  const routes = through(room("mesh", "a*"), room("sfu", "a*", "b", "c"));
  expect(meshPeers(routes)).toEqual(["a"]);
  expect(routeTo(routes, "a")).toBe("mesh");
  expect(routeTo(routes, "b")).toBe("sfu");
  expect(pendingHandovers(routes)).toEqual(["b", "c"]);
});

test("a participant that turns direct gets a mesh link again", () => {
  const over = [sent("a"), received("a")].reduce(reduceRoutes, through(room("sfu", "a", "b")));
  expect(meshPeers(reduceRoutes(over, room("sfu", "a*", "b")))).toEqual(["a"]);
});

test("without the media server all are linked, and handed over once it is reached", () => {
  const down = through(room("mesh", "a"), room("sfu", "a", "b"), sent("a"), received("a"), {
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

test("back in a mesh the media server is kept until every handover is complete", () => {
  const back = through(room("sfu", "a", "b"), sent("a"), received("a"), room("mesh", "a"));
  expect(meshPeers(back)).toEqual(["a"]);
  expect(back.sfu).toBe(true);
  expect(pendingHandovers(back)).toEqual(["a"]);
  expect(reduceRoutes(back, sent("a", "mesh")).sfu).toBe(true);
  expect([sent("a", "mesh"), received("a", "mesh")].reduce(reduceRoutes, back).sfu).toBe(false);
});

test("back in a mesh the media server is not kept for direct or absent participants", () => {
  expect(through(room("sfu", "a", "b"), room("mesh", "a"), room("mesh")).sfu).toBe(false);
  expect(through(room("sfu", "a*", "b"), room("mesh", "a*")).sfu).toBe(false);
});

test("a handover for a past topology is ignored", () => {
  const routes = through(room("mesh", "a"), room("sfu", "a"), received("a", "mesh"), sent("a"));
  expect(meshPeers(routes)).toEqual(["a"]);
  const again = through(
    room("sfu", "a"),
    sent("a"),
    received("a"),
    room("mesh", "a"),
    room("sfu", "a"),
  );
  expect(pendingHandovers(again)).toEqual(["a"]);
  expect(meshPeers(again)).toEqual(["a"]);
});
