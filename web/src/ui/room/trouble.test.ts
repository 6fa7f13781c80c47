import { expect, test } from "vitest";
import type { DeviceProblem, LocalDevice } from "../../client/index.ts";
import { en } from "../i18n/en.ts";
import { browserOf, troublesOf } from "./trouble.ts";

function device(problem: DeviceProblem | null): LocalDevice {
  return { on: false, opening: false, deviceId: null, problem };
}

function titles(camera: DeviceProblem | null, microphone: DeviceProblem | null): string[] {
  const media = { camera: device(camera), microphone: device(microphone) };
  return troublesOf(media, "chrome", en).map(({ title }) => title);
}

test("nothing wrong is nothing to tell", () => {
  expect(titles(null, null)).toEqual([]);
});

test("the same trouble with both is told once", () => {
  expect(titles("refused", "refused")).toEqual([en.problem.titleBoth]);
});

test("different troubles are told apart", () => {
  expect(titles("missing", "refused")).toEqual([en.problem.titleMic, en.problem.titleCamera]);
  expect(titles("in_use", null)).toEqual([en.problem.titleCamera]);
});

test("a refusal says what to do in this browser; an insecure page can't be retried", () => {
  const refused = { camera: device("refused"), microphone: device(null) };
  expect(troublesOf(refused, "firefox", en)[0]?.how).toBe(en.problem.how.firefox);
  const insecure = { camera: device("insecure"), microphone: device("insecure") };
  expect(troublesOf(insecure, "chrome", en)).toMatchObject([{ how: null, canRetry: false }]);
});

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "chrome",
  ],
  [
    "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
    "chromeAndroid",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "firefox"],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
    "safari",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
    "safariIos",
  ],
  [
    "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36 KAKAOTALK 11.0",
    "inApp",
  ],
  ["something else", "other"],
])("%s is %s", (userAgent, browser) => {
  expect(browserOf(userAgent)).toBe(browser);
});
