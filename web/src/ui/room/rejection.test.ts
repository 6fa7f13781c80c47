import { RequestError } from "moim-client";
import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { rejectionOf, rejectionText } from "./rejection.ts";

test("a full room, a password and other rejections are distinguished", () => {
  expect(rejectionOf(new RequestError("room_full", "")).kind).toBe("full");
  expect(rejectionOf(new RequestError("wrong_password", "")).kind).toBe("password");
  expect(rejectionOf(new RequestError("password_required", "")).kind).toBe("password");
  expect(rejectionOf(new RequestError("server_full", "")).kind).toBe("other");
  expect(rejectionOf(new TypeError("a bug"))).toEqual({ code: "internal", kind: "other" });
});

test("the text names the room, with its particle", () => {
  expect(rejectionText("room_full", "산책", ko)).toBe("‘산책’은 가득 찼어요.");
  expect(rejectionText("room_full", "회의", ko)).toBe("‘회의’는 가득 찼어요.");
  expect(rejectionText("room_full", "tea", en)).toBe("tea is full.");
});

test("a server about to restart says so, and stays in both languages", () => {
  expect(rejectionText("server_draining", "tea", en)).toBe(en.errors.server_draining);
  expect(rejectionText("server_draining", "산책", ko)).toBe(ko.errors.server_draining);
});

test("an unreachable server is not reported as a server error", () => {
  expect(rejectionText("timeout", "tea", en)).toBe(en.errors.offline);
  expect(rejectionText("unreachable", "tea", en)).toBe(en.errors.offline);
});

test("an invalid name is reported with its reason", () => {
  const rejection = rejectionOf(new RequestError("invalid", "name: …", "invisible"));
  expect(rejectionText(rejection.code, "tea", en, rejection.nameError)).toBe(
    en.errors.name.invisible,
  );
  expect(rejectionText(rejection.code, "tea", ko, rejection.nameError)).toBe(
    ko.errors.name.invisible,
  );
  expect(rejectionText("invalid", "tea", en)).toBe(en.errors.invalid);
});
