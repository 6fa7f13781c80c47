import { describe, expect, test } from "vitest";
import { isAddressable, parseRoute, readableLink, roomLink, roomPath } from "./router.ts";

describe("addresses", () => {
  test("the root is home and may carry a name", () => {
    expect(parseRoute("/", "")).toEqual({ view: "home", name: undefined });
    expect(parseRoute("/", "?name=A")).toEqual({ view: "home", name: "A" });
  });

  test("a room's address may carry a name and skip the preview", () => {
    expect(parseRoute("/r/tea", "?name=A&join=1")).toEqual({
      view: "room",
      room: "tea",
      name: "A",
      join: true,
    });
    expect(parseRoute("/r/tea/", "")).toEqual({
      view: "room",
      room: "tea",
      name: undefined,
      join: false,
    });
  });

  test("the connection test may have a length", () => {
    expect(parseRoute("/doctor", "")).toEqual({ view: "doctor", seconds: undefined });
    expect(parseRoute("/admin", "")).toEqual({ view: "admin", section: undefined });
    expect(parseRoute("/admin/log/", "")).toEqual({ view: "admin", section: "log" });
    expect(parseRoute("/administrator", "")).toEqual({ view: "notFound" });
    expect(parseRoute("/doctor/", "?seconds=2")).toEqual({ view: "doctor", seconds: 2 });
    expect(parseRoute("/doctor", "?probe=a1b2")).toEqual({ view: "doctor", probe: "a1b2" });
  });

  test("an empty name counts as none, and only join=1 skips the preview", () => {
    expect(parseRoute("/r/tea", "?name=%20&join=true")).toMatchObject({
      name: undefined,
      join: false,
    });
  });

  test.each(["차 한잔", "a/b", "100%", "?#&", "<b>"])(
    "the link to a room called %s leads to it",
    (room) => {
      expect(parseRoute(new URL(roomLink(room, "https://moim.test")).pathname, "")).toMatchObject({
        view: "room",
        room,
      });
    },
  );

  test("a readable link keeps letters and leads to the same room", () => {
    const link = readableLink("차 한잔/100%", "https://moim.test");
    expect(link).toBe("https://moim.test/r/차%20한잔%2F100%25");
    expect(parseRoute(new URL(link).pathname, "")).toMatchObject({ room: "차 한잔/100%" });
  });

  test("a room named by dots alone has no address", () => {
    for (const room of [".", "..", " .. ", ""]) expect(isAddressable(room)).toBe(false);
    for (const room of ["...", ".a", "a."]) expect(isAddressable(room)).toBe(true);
  });

  test("decomposed Hangul, as typed on macOS, leads to the same room", () => {
    expect(roomPath("모임".normalize("NFD"))).toBe(roomPath("모임"));
    expect(parseRoute(`/r/${encodeURIComponent("모임".normalize("NFD"))}`, "")).toMatchObject({
      room: "모임",
    });
  });

  test.each(["/r/", "/r/%E0%A4%A", "/x", "/r/a/b", "/r/%20"])("%s is not found", (path) => {
    expect(parseRoute(path, "")).toEqual({ view: "notFound" });
  });
});
