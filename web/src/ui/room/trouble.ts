/** What to tell somebody whose camera or microphone won't open: decided here, shown elsewhere. */
import type { DeviceProblem, LocalMediaState } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";

/** A browser, as far as its advice differs. */
export type Browser = keyof Messages["problem"]["how"];

export interface Trouble {
  title: string;
  /** What is wrong. */
  why: string;
  /** What to do about it in this browser, where that differs. */
  how: string | null;
  /** Trying once more could help. */
  canRetry: boolean;
}

/** One trouble where both devices have the same, else the worse one first. */
export function troublesOf(
  { camera, microphone }: Pick<LocalMediaState, "camera" | "microphone">,
  browser: Browser,
  t: Messages,
): Trouble[] {
  if (camera.problem !== null && camera.problem === microphone.problem) {
    return [trouble(t.problem.titleBoth, camera.problem, browser, t)];
  }
  return [
    ...(microphone.problem ? [trouble(t.problem.titleMic, microphone.problem, browser, t)] : []),
    ...(camera.problem ? [trouble(t.problem.titleCamera, camera.problem, browser, t)] : []),
  ];
}

function trouble(title: string, problem: DeviceProblem, browser: Browser, t: Messages): Trouble {
  const how = browser === "inApp" || problem === "refused" ? t.problem.how[browser] : null;
  return { title, why: reason(problem, t), how, canRetry: problem !== "insecure" };
}

function reason(problem: DeviceProblem, t: Messages): string {
  switch (problem) {
    case "refused":
      return t.problem.denied;
    case "missing":
      return t.problem.missing;
    case "in_use":
      return t.problem.inUse;
    case "insecure":
      return t.problem.insecure;
    case "failed":
      return t.problem.unknown;
  }
}

/** Other apps' built-in browsers, which often keep the camera from pages. */
const IN_APP = /KAKAOTALK|NAVER\(inapp|Instagram|FBAN|FBAV|Line\//i;

export function browserOf(userAgent: string): Browser {
  if (IN_APP.test(userAgent)) return "inApp";
  if (/iPhone|iPad|iPod/.test(userAgent)) return "safariIos";
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrome\//.test(userAgent)) return /Android/.test(userAgent) ? "chromeAndroid" : "chrome";
  return /Safari\//.test(userAgent) ? "safari" : "other";
}
