/** What to tell somebody whose camera or microphone won't open: decided here, shown elsewhere. */
import type { DeviceProblem, LocalDevice, LocalMediaState } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";

/** A browser, as far as its advice differs. */
export type Browser = keyof Messages["problem"]["how"];

export interface Trouble {
  title: string;
  /** What is wrong. */
  why: string;
  /** What to do about it in this browser, where that differs. */
  how: string | null;
  /** What the button that may help says; null where none does. */
  remedy: string | null;
  /** The devices that it is about. */
  kinds: readonly Kind[];
  fault: Fault;
}

type Kind = "camera" | "microphone";

/** A device is interrupted, or has a problem while one is held or not. */
type Fault =
  | { is: "interrupted" }
  | { is: "closed"; problem: DeviceProblem }
  | { is: "unchanged"; problem: DeviceProblem };

/** One trouble where both devices have the same, else the worse one first. */
export function troublesOf(
  { camera, microphone }: Pick<LocalMediaState, Kind>,
  browser: Browser,
  t: Messages,
): Trouble[] {
  const [ofCamera, ofMic] = [faultOf(camera), faultOf(microphone)];
  if (ofCamera && ofMic && ofCamera.is !== "unchanged" && isSame(ofCamera, ofMic)) {
    return [trouble(["microphone", "camera"], ofMic, browser, t)];
  }
  return [
    ...(ofMic ? [trouble(["microphone"], ofMic, browser, t)] : []),
    ...(ofCamera ? [trouble(["camera"], ofCamera, browser, t)] : []),
  ];
}

function faultOf({ held, interrupted, problem }: LocalDevice): Fault | null {
  if (interrupted) return { is: "interrupted" };
  if (problem === null) return null;
  return { is: held ? "unchanged" : "closed", problem };
}

function isSame(a: Fault, b: Fault): boolean {
  return (
    a.is === b.is && ("problem" in a ? a.problem : null) === ("problem" in b ? b.problem : null)
  );
}

function trouble(kinds: readonly Kind[], fault: Fault, browser: Browser, t: Messages): Trouble {
  const title = titleOf(kinds, fault, t);
  if (fault.is === "interrupted") {
    return { title, why: t.problem.paused, how: null, remedy: t.problem.turnOnAgain, kinds, fault };
  }
  const { problem } = fault;
  const why = reason(problem, t);
  if (fault.is === "unchanged")
    return { title, why, how: t.problem.goesOn, remedy: null, kinds, fault };
  const how = browser === "inApp" || problem === "refused" ? t.problem.how[browser] : null;
  const remedy = problem === "insecure" ? null : t.problem.tryAgain;
  return { title, why, how, remedy, kinds, fault };
}

function titleOf(kinds: readonly Kind[], fault: Fault, t: Messages): string {
  const p = t.problem;
  const titles =
    fault.is === "interrupted"
      ? { both: p.titlePausedBoth, camera: p.titlePausedCamera, mic: p.titlePausedMic }
      : fault.problem === "asking"
        ? { both: p.titleAsking, camera: p.titleAsking, mic: p.titleAsking }
        : fault.problem === "unanswered"
          ? {
              both: p.titleUnansweredBoth,
              camera: p.titleUnansweredCamera,
              mic: p.titleUnansweredMic,
            }
          : fault.is === "unchanged"
            ? { both: p.titleBoth, camera: p.titleOtherCamera, mic: p.titleOtherMic }
            : { both: p.titleBoth, camera: p.titleCamera, mic: p.titleMic };
  if (kinds.length === 2) return titles.both;
  return kinds[0] === "camera" ? titles.camera : titles.mic;
}

function reason(problem: DeviceProblem, t: Messages): string {
  switch (problem) {
    case "refused":
      return t.problem.denied;
    case "missing":
      return t.problem.missing;
    case "in_use":
      return t.problem.inUse;
    case "asking":
      return t.problem.asking;
    case "unanswered":
      return t.problem.unanswered;
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
