/** Alerts about a camera or microphone that fails, computed without the DOM. */
import type { DeviceProblem, LocalDevice, LocalMediaState } from "moim-client";
import type { Messages } from "../i18n/en.ts";

/** Browsers, distinguished where the advice differs. */
export type Browser = keyof Messages["problem"]["instructions"];

export interface DeviceAlert {
  title: string;
  cause: string;
  /** Steps to fix it in this browser, if there are any. */
  instructions: string | null;
  /** Label of the button that may help; null if there is none. */
  remedy: string | null;
  /** Affected devices. */
  kinds: readonly Kind[];
  fault: Fault;
}

type Kind = "camera" | "microphone";

type Fault =
  /** The system mutes the device. */
  | { is: "interrupted" }
  /** No device is open. */
  | { is: "closed"; problem: DeviceProblem }
  /** Changing to another device failed, the previous one stays open. */
  | { is: "unchanged"; problem: DeviceProblem };

/** Returns one alert if both devices have the same fault, else one each, microphone first. */
export function deviceAlertsOf(
  { camera, microphone }: Pick<LocalMediaState, Kind>,
  browser: Browser,
  t: Messages,
): DeviceAlert[] {
  const cameraFault = faultOf(camera);
  const micFault = faultOf(microphone);
  if (cameraFault && micFault && cameraFault.is !== "unchanged" && isSame(cameraFault, micFault)) {
    return [deviceAlert(["microphone", "camera"], micFault, browser, t)];
  }
  return [
    ...(micFault ? [deviceAlert(["microphone"], micFault, browser, t)] : []),
    ...(cameraFault ? [deviceAlert(["camera"], cameraFault, browser, t)] : []),
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

function deviceAlert(
  kinds: readonly Kind[],
  fault: Fault,
  browser: Browser,
  t: Messages,
): DeviceAlert {
  const title = titleOf(kinds, fault, t);
  if (fault.is === "interrupted") {
    return {
      title,
      cause: t.problem.paused,
      instructions: null,
      remedy: t.problem.turnOnAgain,
      kinds,
      fault,
    };
  }
  const { problem } = fault;
  const cause = causeOf(problem, t);
  if (fault.is === "unchanged")
    return { title, cause, instructions: t.problem.previousKept, remedy: null, kinds, fault };
  const instructions =
    browser === "inApp" || problem === "refused" ? t.problem.instructions[browser] : null;
  const remedy = problem === "insecure" ? null : t.problem.tryAgain;
  return { title, cause, instructions, remedy, kinds, fault };
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

function causeOf(problem: DeviceProblem, t: Messages): string {
  switch (problem) {
    case "refused":
      return t.problem.denied;
    case "dismissed":
      return t.problem.dismissed;
    case "blocked":
      return t.problem.blocked;
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

/** In-app browsers, which often don't give pages access to the camera. */
const IN_APP = /KAKAOTALK|NAVER\(inapp|Instagram|FBAN|FBAV|Line\//i;

export function browserOf(userAgent: string): Browser {
  if (IN_APP.test(userAgent)) return "inApp";
  if (/iPhone|iPad|iPod/.test(userAgent)) return "safariIos";
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrome\//.test(userAgent)) return /Android/.test(userAgent) ? "chromeAndroid" : "chrome";
  return /Safari\//.test(userAgent) ? "safari" : "other";
}
