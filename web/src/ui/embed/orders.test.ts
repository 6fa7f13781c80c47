import { expect, test } from "vitest";
import { parseOrder } from "./orders.ts";

test("orders are read, with devices off unless they are named", () => {
  expect(parseOrder({ moim: 1, type: "listen" })).toEqual({ type: "listen" });
  expect(parseOrder({ moim: 1, type: "leave", x: 1 })).toEqual({ type: "leave" });
  expect(parseOrder({ moim: 1, type: "join", name: "Ann", camera: true })).toEqual({
    type: "join",
    name: "Ann",
    microphone: false,
    camera: true,
  });
  expect(parseOrder({ moim: 1, type: "mute", microphone: true })).toEqual({
    type: "mute",
    microphone: true,
  });
});

test("anything else is no order", () => {
  for (const data of [
    null,
    "join",
    1,
    {},
    { type: "join" },
    { moim: 2, type: "join" },
    { moim: 1, type: "toString" },
    { moim: 1, type: "join", name: 5 },
    { moim: 1, type: "join", microphone: "yes" },
    { moim: 1, type: "mute", camera: 1 },
  ]) {
    expect(parseOrder(data), JSON.stringify(data)).toBeNull();
  }
});
