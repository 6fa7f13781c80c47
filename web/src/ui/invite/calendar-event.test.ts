import { expect, test, vi } from "vitest";
import { type CalendarEvent, calendarFile, newUid } from "./calendar-event.ts";

const event: CalendarEvent = {
  uid: "1@meet.example",
  now: new Date("2026-11-30T01:02:03.456Z"),
  start: new Date("2026-12-24T23:30:00+09:00"),
  minutes: 60,
  summary: "tea; milk, and \\ sugar",
  description: "Join here:\nhttps://meet.example/r/tea",
  url: "https://meet.example/r/tea;a,b",
};

const unfold = (file: string) => file.replaceAll("\r\n ", "");

test("times are in UTC, and the end follows from the length", () => {
  const file = calendarFile(event);
  expect(file).toContain("\r\nDTSTAMP:20261130T010203Z\r\n");
  expect(file).toContain("\r\nDTSTART:20261224T143000Z\r\nDTEND:20261224T153000Z\r\n");
});

test("texts are escaped, addresses are not", () => {
  const file = calendarFile(event);
  expect(file).toContain("SUMMARY:tea\\; milk\\, and \\\\ sugar\r\n");
  expect(file).toContain("DESCRIPTION:Join here:\\nhttps://meet.example/r/tea\r\n");
  expect(file).toContain("\r\nURL:https://meet.example/r/tea;a,b\r\n");
});

test("a name adds no line of its own", () => {
  const summary = "tea\r\nATTACH:https://evil.example\u0007\u2028";
  const lines = unfold(calendarFile({ ...event, summary })).split("\r\n");
  expect(lines).toContain("SUMMARY:tea\\nATTACH:https://evil.example\u2028");
  expect(lines.filter((line) => line.startsWith("ATTACH"))).toEqual([]);
});

test("every line ends in CRLF and has 75 octets at most, cut between characters", () => {
  const summary = `${"다정한 부엉이 방에서 만나요 ".repeat(8)}😀😀😀`;
  const file = calendarFile({ ...event, summary, description: "x".repeat(300) });
  expect(file.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  for (const line of file.split("\r\n")) {
    expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
    expect(line).not.toContain("\ufffd");
  }
  expect(unfold(file)).toContain(`SUMMARY:${summary}\r\n`);
  expect(unfold(file)).toContain(`DESCRIPTION:${"x".repeat(300)}\r\n`);
});

test("the file begins and ends as a calendar", () => {
  const lines = calendarFile(event).split("\r\n");
  expect(lines.slice(0, 2)).toEqual(["BEGIN:VCALENDAR", "VERSION:2.0"]);
  expect(lines.slice(-2)).toEqual(["END:VCALENDAR", ""]);
});

test("a UID is made on a page without TLS, too", () => {
  const { getRandomValues } = crypto;
  vi.stubGlobal("crypto", { getRandomValues: getRandomValues.bind(crypto) });
  const uids = [newUid("10.0.0.2"), newUid("10.0.0.2")];
  vi.unstubAllGlobals();
  for (const uid of uids) expect(uid).toMatch(/^[0-9a-f]{32}@10\.0\.0\.2$/);
  expect(uids[0]).not.toBe(uids[1]);
});
