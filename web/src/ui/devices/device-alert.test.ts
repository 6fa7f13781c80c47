import type { DeviceProblem, LocalDevice } from "moim-client";
import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { browserOf, deviceAlertsOf } from "./device-alert.ts";

function device(problem: DeviceProblem | null, change: Partial<LocalDevice> = {}): LocalDevice {
  const closed = { on: false, wanted: false, opening: false, held: false, interrupted: false };
  return { ...closed, deviceId: null, problem, ...change };
}

function titles(camera: DeviceProblem | null, microphone: DeviceProblem | null): string[] {
  const media = { camera: device(camera), microphone: device(microphone) };
  return deviceAlertsOf(media, "chrome", en).map(({ title }) => title);
}

test("devices without faults have no alerts", () => {
  expect(titles(null, null)).toEqual([]);
});

test("the same fault of both devices is one alert", () => {
  expect(titles("refused", "refused")).toEqual([en.problem.titleBoth]);
});

test("different faults are separate alerts", () => {
  expect(titles("missing", "refused")).toEqual([en.problem.titleMic, en.problem.titleCamera]);
  expect(titles("in_use", null)).toEqual([en.problem.titleCamera]);
});

test("a denied permission has instructions for the browser; an insecure page has no retry", () => {
  const refused = { camera: device("refused"), microphone: device(null) };
  expect(deviceAlertsOf(refused, "firefox", en)[0]?.instructions).toBe(
    en.problem.instructions.firefox,
  );
  const insecure = { camera: device("insecure"), microphone: device("insecure") };
  expect(deviceAlertsOf(insecure, "chrome", en)).toMatchObject([
    { instructions: null, remedy: null },
  ]);
});

test.each([en, ko])("each state of a permission has words of its own, and one way on", (t) => {
  const states: [Parameters<typeof deviceAlertsOf>[1], DeviceProblem][] = [
    ["chrome", "asking"],
    ["chrome", "dismissed"],
    ["chrome", "refused"],
    ["chrome", "blocked"],
    ["chrome", "missing"],
    ["chrome", "in_use"],
    ["chrome", "insecure"],
    ["inApp", "refused"],
  ];
  const told = states.map(([browser, problem]) => {
    const both = { camera: device(problem), microphone: device(problem) };
    const alerts = deviceAlertsOf(both, browser, t);
    expect(alerts).toHaveLength(1);
    const [{ title, cause, instructions, remedy } = { title: "", cause: "" }] = alerts;
    // Without TLS nothing on this page helps; the words say what does.
    expect(remedy).toBe(problem === "insecure" ? null : t.problem.tryAgain);
    return [title, cause, instructions].join(" ");
  });
  expect(new Set(told).size).toBe(states.length);
});

test("a device that does not respond can be retried", () => {
  const media = { camera: device("unanswered", { opening: true }), microphone: device(null) };
  expect(deviceAlertsOf(media, "chrome", en)).toMatchObject([
    { title: en.problem.titleUnansweredCamera, remedy: en.problem.tryAgain, kinds: ["camera"] },
  ]);
  expect(titles("unanswered", "unanswered")).toEqual([en.problem.titleUnansweredBoth]);
});

test("a pending permission prompt is one alert for both devices", () => {
  const asking = { camera: device("asking"), microphone: device("asking") };
  expect(deviceAlertsOf(asking, "firefox", en)).toMatchObject([
    { title: en.problem.titleAsking, remedy: en.problem.tryAgain },
  ]);
});

test("a failed change says that the previous device stays in use", () => {
  const media = { camera: device("in_use", { held: true, on: true }), microphone: device(null) };
  expect(deviceAlertsOf(media, "chrome", en)).toMatchObject([
    { title: en.problem.titleOtherCamera, instructions: en.problem.previousKept, remedy: null },
  ]);
});

test("a device paused by the system can be turned on again", () => {
  const paused = device(null, { held: true, on: true, interrupted: true });
  const title = (media: Parameters<typeof deviceAlertsOf>[0]) =>
    deviceAlertsOf(media, "chrome", en).map(({ title, remedy }) => [title, remedy]);
  expect(title({ camera: device(null), microphone: paused })).toEqual([
    [en.problem.titlePausedMic, en.problem.turnOnAgain],
  ]);
  expect(title({ camera: paused, microphone: paused })).toEqual([
    [en.problem.titlePausedBoth, en.problem.turnOnAgain],
  ]);
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
