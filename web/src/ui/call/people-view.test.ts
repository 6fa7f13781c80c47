import type { CallState, RemoteParticipant, Role } from "moim-client";
import { expect, test } from "vitest";
import { lowerableHands, mayHost, peopleOf } from "./people-view.ts";

const media = { mic: true, camera: true, screen: false, hand: false };

function person(id: string, role?: Role, raised?: number): RemoteParticipant {
  return {
    id,
    name: id,
    media,
    ...(role && { role }),
    ...(raised !== undefined && { raised }),
    speaking: false,
    quality: null,
    connection: "connected",
    direct: false,
    stream: null,
    screen: null,
  };
}

function call(self: RemoteParticipant, ...others: RemoteParticipant[]): CallState {
  return { self, others, spotlight: ["c"] } as unknown as CallState;
}

test("raised hands come first, in the order of the server", () => {
  const rows = peopleOf(
    call(person("me"), person("a"), person("b", undefined, 7), person("c", undefined, 3)),
  );
  expect(rows.map(({ person, hand }) => [person.id, hand])).toEqual([
    ["c", 1],
    ["b", 2],
    ["me", null],
    ["a", null],
  ]);
  expect(rows[0]?.isInSpotlight).toBe(true);
});

test("a host acts upon lower roles only, a co-host gives none", () => {
  const roles: Role[] = ["viewer", "speaker", "co_host", "host"];
  const others = roles.map((role) => person(role, role));
  const rows = (role?: Role) =>
    peopleOf(call(person("me", role), ...others)).filter(({ isSelf }) => !isSelf);
  expect(rows("host").map(({ mayRemove }) => mayRemove)).toEqual([true, true, true, false]);
  expect(rows("host").map(({ roles }) => roles.length)).toEqual([4, 4, 4, 0]);
  expect(rows("co_host").map(({ mayRemove }) => mayRemove)).toEqual([true, true, false, false]);
  expect(rows("co_host").map(({ mayMute }) => mayMute)).toEqual([true, true, true, false]);
  expect(rows("co_host").every(({ roles }) => roles.length === 0)).toBe(true);
  for (const role of ["speaker", "viewer", undefined] as const) {
    expect(rows(role).every(({ mayMute, mayRemove }) => !mayMute && !mayRemove)).toBe(true);
  }
});

test("a co-host may lower the hands of all but hosts, and its own", () => {
  const hands = (role?: Role) =>
    lowerableHands(
      peopleOf(
        call(
          person("me", role, 4),
          person("h", "host", 1),
          person("c", "co_host", 2),
          person("s", "speaker", 3),
          person("v", "viewer"),
        ),
      ),
    );
  expect([hands("host"), hands("co_host"), hands("speaker"), hands()]).toEqual([4, 3, 1, 1]);
});

test("only hosts and co-hosts host", () => {
  const hosting = (role?: Role) => mayHost({ self: person("me", role) });
  expect([hosting("host"), hosting("co_host")]).toEqual([true, true]);
  expect([hosting("speaker"), hosting("viewer"), hosting()]).toEqual([false, false, false]);
});
