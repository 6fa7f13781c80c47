import { expect, test } from "vitest";
import { type CreateOptions, createRequest } from "./create-request.ts";

const none: CreateOptions = { capacity: "", password: "", template: "", hasWaitingRoom: false };

test("what is left empty is left to the server", () => {
  expect(createRequest("tea", false, none)).toEqual({ name: "tea", listed: false });
  expect(createRequest("tea", true, { ...none, capacity: "0" })).toEqual({
    name: "tea",
    listed: true,
  });
});

test("limit, password and waiting room are sent", () => {
  const options = { ...none, capacity: "12", password: "sesame", hasWaitingRoom: true };
  expect(createRequest("tea", false, options)).toMatchObject({
    capacity: 12,
    password: "sesame",
    policy: { entry: "waiting", chat: "everybody" },
  });
});

test("the rules of a template are not overwritten", () => {
  const options = { ...none, template: "class", hasWaitingRoom: true };
  expect(createRequest("tea", undefined, options)).toEqual({ name: "tea", template: "class" });
});
