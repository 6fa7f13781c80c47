import { expect, test } from "vitest";
import type { Call } from "../../client/index.ts";
import { after, type Phase } from "./phase.ts";

const call = {} as Call;
const wrong = { code: "wrong_password", kind: "password" } as const;
const preview: Phase = { at: "preview", refusal: null };

test("from the preview into the call and out of it", () => {
  const joining = after(preview, { type: "asked" });
  expect(joining).toEqual({ at: "joining", refusal: null });
  const joined = after(joining, { type: "joined", call });
  expect(joined).toEqual({ at: "call", call });
  expect(after(joined, { type: "ended", call, error: null })).toEqual({ at: "left", error: null });
});

test("a refusal leads back to the preview and stays there during the next try", () => {
  const refused = after({ at: "joining", refusal: null }, { type: "refused", refusal: wrong });
  expect(refused).toEqual({ at: "preview", refusal: wrong });
  expect(after(refused, { type: "asked" })).toEqual({ at: "joining", refusal: wrong });
});

test("the end of an earlier call does not end this one", () => {
  const now: Phase = { at: "call", call };
  expect(after(now, { type: "ended", call: {} as Call, error: null })).toBe(now);
});

test("going back after the call leads to the preview", () => {
  expect(after({ at: "left", error: null }, { type: "wentBack" })).toEqual(preview);
  expect(after({ at: "joining", refusal: null }, { type: "wentBack" }).at).toBe("joining");
});
