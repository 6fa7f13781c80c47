import { expect, test } from "vitest";
import { forgetInvitation, parseFragment, takeEntryCredentials } from "./entry-credentials.ts";

function storage(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => items.set(key, value),
  } as unknown as Storage;
}

test("a fragment has a token, a key or neither", () => {
  expect(parseFragment("#token=a.b-c.d_e")).toEqual({ token: "a.b-c.d_e" });
  expect(parseFragment("#k=secret")).toEqual({ invitation: "secret" });
  expect(parseFragment("#")).toEqual({});
  expect(parseFragment("#chat")).toEqual({});
});

test("credentials leave the address and survive a reload of the tab, for their room alone", () => {
  const addresses: string[] = [];
  const history = {
    state: null,
    replaceState: (_: unknown, __: string, address: string) => addresses.push(address),
  } as unknown as History;
  const kept = storage();
  const at = (hash: string) => ({ pathname: "/r/tea", search: "?join=1", hash });
  expect(takeEntryCredentials("tea", at("#token=a.b.c"), history, kept).token).toBe("a.b.c");
  expect(addresses).toEqual(["/r/tea?join=1"]);
  expect(takeEntryCredentials("tea", at(""), history, kept)).toEqual({ token: "a.b.c" });
  expect(takeEntryCredentials("milk", at(""), history, kept)).toEqual({});
  expect(takeEntryCredentials("tea", at("#k=x"), history, kept)).toEqual({ invitation: "x" });
});

test("an invitation that leads nowhere is forgotten, and a token is not", () => {
  const kept = storage();
  const history = { state: null, replaceState: () => {} } as unknown as History;
  const at = (hash: string) => ({ pathname: "/r/tea", search: "", hash });
  takeEntryCredentials("tea", at("#k=x"), history, kept);
  expect(forgetInvitation("tea", { invitation: "x" }, kept)).toEqual({});
  expect(takeEntryCredentials("tea", at(""), history, kept)).toEqual({});
  expect(forgetInvitation("tea", { token: "t", invitation: "x" }, kept)).toEqual({ token: "t" });
});
