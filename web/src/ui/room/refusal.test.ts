import { expect, test } from "vitest";
import { RequestError } from "../../client/index.ts";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { refusalOf, refusalText } from "./refusal.ts";

test("a full room, a password and the rest are told apart", () => {
  expect(refusalOf(new RequestError("room_full", "")).kind).toBe("full");
  expect(refusalOf(new RequestError("wrong_password", "")).kind).toBe("password");
  expect(refusalOf(new RequestError("password_required", "")).kind).toBe("password");
  expect(refusalOf(new RequestError("server_full", "")).kind).toBe("other");
  expect(refusalOf(new TypeError("a bug"))).toEqual({ code: "internal", kind: "other" });
});

test("the words name the room, with its particle", () => {
  expect(refusalText("room_full", "산책", ko)).toBe("산책은 가득 찼어요.");
  expect(refusalText("room_full", "회의", ko)).toBe("회의는 가득 찼어요.");
  expect(refusalText("room_full", "tea", en)).toBe("tea is full.");
});

test("a server out of reach is not called a fault of the server", () => {
  expect(refusalText("timeout", "tea", en)).toBe(en.errors.offline);
  expect(refusalText("unreachable", "tea", en)).toBe(en.errors.offline);
});

test("a name that is not taken is told with its reason", () => {
  const refusal = refusalOf(new RequestError("invalid", "name: …", "invisible"));
  expect(refusalText(refusal.code, "tea", en, refusal.nameError)).toBe(en.errors.name.invisible);
  expect(refusalText(refusal.code, "tea", ko, refusal.nameError)).toBe(ko.errors.name.invisible);
  expect(refusalText("invalid", "tea", en)).toBe(en.errors.invalid);
});
