import type { Policy, RemoteParticipant, Role } from "moim-client";
import { expect, test } from "vitest";
import { isOutOfReach, recipientsOf } from "./recipient.ts";

const OPEN: Policy = {
  entry: "open",
  chat: "everybody",
  screen: "everybody",
  newcomers: "speaker",
};

function callOf(role: Role | undefined, policy: Policy | null, others: [string, Role?, number?][]) {
  const person = (name: string, role?: Role, alike?: number) =>
    ({
      id: `${name}${alike ?? ""}`,
      name,
      ...(role && { role }),
      ...(alike && { alike }),
    }) as RemoteParticipant;
  return { policy, self: person("me", role), others: others.map((each) => person(...each)) };
}

const names = (call: ReturnType<typeof callOf>) => recipientsOf(call).map(({ name }) => name);

test("everybody else can be written to, in the order of names that tell them apart", () => {
  const others: [string, Role?, number?][] = [["Zoe"], ["Ann", "viewer", 2], ["Ann"]];
  expect(names(callOf(undefined, null, others))).toEqual(["Ann", "Ann (2)", "Zoe"]);
  expect(names(callOf("viewer", OPEN, others))).toHaveLength(3);
  expect(names(callOf("speaker", { ...OPEN, chat: "hosts" }, others))).toEqual([]);
});

test("private messages by hosts only leave those from and to hosts", () => {
  const policy: Policy = { ...OPEN, private: "hosts" };
  const others: [string, Role?][] = [
    ["Ann", "host"],
    ["Ben", "speaker"],
    ["Cem", "co_host"],
  ];
  expect(names(callOf("speaker", policy, others))).toEqual(["Ann", "Cem"]);
  expect(names(callOf("co_host", policy, others))).toEqual(["Ann", "Ben", "Cem"]);
});

test("a recipient who has left is out of reach, and everybody never is", () => {
  const recipients = recipientsOf(callOf(undefined, null, [["Ann"]]));
  expect(isOutOfReach({ id: "Ann", name: "Ann" }, recipients)).toBe(false);
  expect(isOutOfReach({ id: "Ben", name: "Ben" }, recipients)).toBe(true);
  expect(isOutOfReach(null, [])).toBe(false);
});
