import type { Invitation } from "moim-client";
import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { invitationLink, rolesToInvite, termsOf } from "./invitation-terms.ts";

const invitation: Invitation = { id: "a", role: "speaker", used: 1, created: 0 };

test("the key is in the fragment of the link, which no server sees", () => {
  const link = new URL(invitationLink("수달 방", "k&y", "https://moim.example"));
  expect(link.hash).toBe("#k=k%26y");
  expect(new URLSearchParams(link.hash.slice(1)).get("k")).toBe("k&y");
  expect(decodeURIComponent(link.pathname)).toBe("/r/수달 방");
});

test("co-hosts invite no co-hosts, and nobody invites a host", () => {
  expect(rolesToInvite(false)).not.toContain("co_host");
  expect(rolesToInvite(true)).toContain("co_host");
  expect(rolesToInvite(true)).not.toContain("host");
});

test("terms tell uses and end", () => {
  expect(termsOf(invitation, en, "en")).toBe("1 person has entered");
  expect(termsOf({ ...invitation, uses: 10 }, en, "en")).toBe("1 of 10 have entered");
  const expires = new Date(2030, 0, 2, 15, 4).getTime();
  expect(termsOf({ ...invitation, expires }, en, "en")).toMatch(/Jan 2, 2030, 3:04/);
});
