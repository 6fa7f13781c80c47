import { expect, test } from "vitest";
import type { Order } from "./orders.ts";
import { ParentSite } from "./parent.ts";

const SCHOOL = "https://school.example";

function inFrame(allowed: readonly string[] = [SCHOOL]) {
  const posted: [unknown, string][] = [];
  const parent = {
    postMessage: (data: unknown, origin: string) => void posted.push([data, origin]),
  } as unknown as Window;
  const listeners = new Set<(event: MessageEvent) => void>();
  const frame = {
    parent,
    addEventListener: (_: string, listener: (event: MessageEvent) => void) =>
      void listeners.add(listener),
    removeEventListener: (_: string, listener: (event: MessageEvent) => void) =>
      void listeners.delete(listener),
  };
  const orders: Order[] = [];
  const site = new ParentSite(frame, allowed);
  const close = site.open((order) => orders.push(order));
  const send = (data: unknown, origin = SCHOOL, source: unknown = parent) => {
    for (const listener of [...listeners]) listener({ data, origin, source } as MessageEvent);
  };
  return { site, posted, orders, send, close };
}

test("orders of an allowed parent are taken", () => {
  const { orders, send } = inFrame();
  send({ moim: 1, type: "leave" });
  expect(orders).toEqual([{ type: "leave" }]);
});

test("other origins and other windows give no orders", () => {
  const { orders, posted, site, send } = inFrame();
  send({ moim: 1, type: "leave" }, "https://evil.example");
  send({ moim: 1, type: "leave" }, SCHOOL, {});
  site.tell({ type: "participants", count: 2 });
  expect(orders).toEqual([]);
  expect(posted).toEqual([[{ moim: 1, type: "ready" }, "*"]]);
});

test("a parent that begins to listen gets the present state, then each change, and nobody else", () => {
  const { site, posted, send } = inFrame();
  site.tell({ type: "participants", count: 1 });
  site.tell({ type: "participants", count: 2 });
  send({ moim: 1, type: "listen" });
  site.tell({ type: "participants", count: 3 });
  site.tell({ type: "participants", count: 3 });
  expect(posted.slice(1)).toEqual([
    [{ moim: 1, type: "participants", count: 2 }, SCHOOL],
    [{ moim: 1, type: "participants", count: 3 }, SCHOOL],
  ]);
});

test("without --embed nothing is said or heard", () => {
  const { site, posted, orders, send } = inFrame([]);
  send({ moim: 1, type: "leave" });
  site.tell({ type: "participants", count: 1 });
  expect(site.isThere).toBe(false);
  expect([posted, orders]).toEqual([[], []]);
});

test("a closed frame takes no orders", () => {
  const { orders, send, close } = inFrame();
  close();
  send({ moim: 1, type: "leave" });
  expect(orders).toEqual([]);
});
