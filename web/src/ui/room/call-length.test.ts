import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { lengthOf } from "./call-length.ts";

test("a call lasts seconds, then minutes, then hours", () => {
  expect(lengthOf(0.2, en)).toBe("1 second");
  expect(lengthOf(59.4, en)).toBe("59 seconds");
  expect(lengthOf(59.6, en)).toBe("1 minute");
  expect(lengthOf(150, en)).toBe("3 minutes");
  expect(lengthOf(3599, en)).toBe("1 hour");
  expect(lengthOf(3660, en)).toBe("1 hour 1 minute");
  expect(lengthOf(2 * 3600 + 5 * 60, en)).toBe("2 hours 5 minutes");
  expect(lengthOf(3600, ko)).toBe("1시간");
  expect(lengthOf(2 * 3600 + 5 * 60, ko)).toBe("2시간 5분");
});
