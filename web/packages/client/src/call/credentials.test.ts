import { expect, test, vi } from "vitest";
import { RequestError } from "../signaling/errors.ts";
import { fetchCredentials } from "./credentials.ts";

const ROOM = { room: "tea", name: "M" };

test("a token at hand is presented at once", () => {
  const done = vi.fn();
  fetchCredentials({ ...ROOM, token: "jwt", password: "sesame" }, done);
  expect(done).toHaveBeenCalledWith({ ok: { ...ROOM, token: "jwt", password: "sesame" } });
});

test("a function is asked for the token", async () => {
  const token = vi.fn().mockResolvedValueOnce("first").mockReturnValueOnce("second");
  for (const expected of ["first", "second"]) {
    const outcome = await new Promise((done) => fetchCredentials({ ...ROOM, token }, done));
    expect(outcome).toEqual({ ok: { ...ROOM, token: expected } });
  }
});

test("a function that throws or rejects is an error with its cause", async () => {
  const cause = new Error("signed out");
  const failing = [
    () => Promise.reject(cause),
    () => {
      throw cause;
    },
  ];
  for (const token of failing) {
    const outcome = await new Promise((done) => fetchCredentials({ ...ROOM, token }, done));
    expect(outcome).toMatchObject({ error: { code: "no_token", cause } });
    expect((outcome as { error: unknown }).error).toBeInstanceOf(RequestError);
  }
});
