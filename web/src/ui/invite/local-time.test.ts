import { expect, test } from "vitest";
import { localInput, nextHour } from "./local-time.ts";

test("the next full hour may be on the next day", () => {
  const next = nextHour(new Date(2026, 11, 31, 23, 0, 1));
  expect(localInput(next)).toBe("2027-01-01T00:00");
});

test("a field's value is read back as the same time", () => {
  const time = new Date(2026, 2, 5, 7, 8);
  expect(localInput(time)).toBe("2026-03-05T07:08");
  expect(new Date(localInput(time)).getTime()).toBe(time.getTime());
});
