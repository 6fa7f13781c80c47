import { describe, expect, it } from "vitest";
import { type AdminState, NOBODY, onceOf, reduceAdmin } from "./admin-state.ts";

const ANN = { administrator: "Ann", has_administrators: true };
const NO_ONE = { administrator: null, has_administrators: false };
const SIGNED_IN: AdminState = { phase: "signedIn", name: "Ann" };

describe("reduceAdmin", () => {
  it("shows the page to whoever is signed in", () => {
    const state = reduceAdmin(NOBODY, { type: "session", session: ANN, once: null });
    expect(state).toEqual(SIGNED_IN);
  });

  it("asks whoever comes by a link for a name and a password, signed in or not", () => {
    for (const session of [ANN, NO_ONE]) {
      const state = reduceAdmin(NOBODY, { type: "session", session, once: "secret" });
      expect(state).toMatchObject({ phase: "signedOut", once: "secret" });
    }
    const entered = reduceAdmin(
      { phase: "signedOut", hasAdministrators: false, once: "secret", hasExpired: false },
      { type: "entered", session: ANN },
    );
    expect(entered).toEqual(SIGNED_IN);
  });

  it("tells a session that ended by itself from one that was ended", () => {
    expect(reduceAdmin(SIGNED_IN, { type: "expired" })).toMatchObject({ hasExpired: true });
    expect(reduceAdmin(SIGNED_IN, { type: "signedOut" })).toMatchObject({ hasExpired: false });
  });

  it("ignores late answers of an earlier session", () => {
    const out = reduceAdmin(SIGNED_IN, { type: "signedOut" });
    expect(reduceAdmin(out, { type: "expired" })).toBe(out);
    expect(reduceAdmin(SIGNED_IN, { type: "unreachable" })).toBe(SIGNED_IN);
  });
});

describe("onceOf", () => {
  it("reads the secret of a link", () => {
    expect(onceOf("#once=aB-_9")).toBe("aB-_9");
    expect(onceOf("#once=")).toBeNull();
    expect(onceOf("")).toBeNull();
  });
});
