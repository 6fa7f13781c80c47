// State of a microphone or camera and its reducer.
import type { DeviceProblem, LocalDevice } from "../api.ts";

/**
 * Number of an attempt to open a device. A result counts while the capture still waits for its
 * attempt; the track of an attempt that was given up is stopped.
 */
export type Attempt = number;

export type Capture =
  | { readonly is: "off" }
  | {
      readonly is: "opening";
      readonly attempt: Attempt;
      /** Send once open; false if it replaces a muted device. */
      readonly on: boolean;
      readonly deviceId: string | null;
      readonly problem: DeviceProblem | null;
    }
  | (Held & { readonly is: "live" })
  /** Another device is being opened; the track held continues meanwhile. */
  | (Held & {
      readonly is: "changing";
      readonly attempt: Attempt;
      readonly deviceId: string | null;
    })
  | { readonly is: "failed"; readonly problem: DeviceProblem };

interface Held {
  readonly track: MediaStreamTrack;
  /** Not muted by the person. */
  readonly on: boolean;
  /** Muted by the system: a phone call, another program, a switch on the device. */
  readonly interrupted: boolean;
  /** Reason that changing to another device failed. */
  readonly problem: DeviceProblem | null;
}

export type CaptureEvent =
  | { is: "open"; attempt: Attempt; deviceId: string | null }
  /** `problem` is that of the requested device, if this one was opened instead. */
  | { is: "opened"; attempt: Attempt; track: MediaStreamTrack; problem?: DeviceProblem }
  | { is: "failed"; attempt: Attempt; problem: DeviceProblem }
  | { is: "unanswered"; attempt: Attempt; problem: "asking" | "unanswered" }
  /** Mutes a held track, or gives up the attempt to open one. */
  | { is: "mute" }
  | { is: "unmute" }
  | { is: "close" }
  /** The held track is closed so that the next device can open: phones open one lens at a time. */
  | { is: "released"; attempt: Attempt }
  | { is: "ended"; track: MediaStreamTrack; attempt: Attempt | null }
  | { is: "interrupted"; track: MediaStreamTrack; interrupted: boolean };

export const OFF: Capture = { is: "off" };

/** The capture after the event; the same object if nothing changed. */
export function reduceCapture(capture: Capture, event: CaptureEvent): Capture {
  switch (event.is) {
    case "open": {
      const { attempt, deviceId } = event;
      return isHeld(capture)
        ? { ...capture, is: "changing", attempt, deviceId, problem: null }
        : {
            is: "opening",
            attempt,
            on: "on" in capture ? capture.on : true,
            deviceId,
            problem: null,
          };
    }
    case "opened": {
      if (!isPending(capture, event.attempt)) return capture;
      const { track, problem = null } = event;
      return { is: "live", track, on: capture.on, interrupted: false, problem };
    }
    case "failed":
      if (!isPending(capture, event.attempt)) return capture;
      return capture.is === "changing"
        ? { ...live(capture), problem: event.problem }
        : { is: "failed", problem: event.problem };
    case "unanswered":
      return isPending(capture, event.attempt) ? { ...capture, problem: event.problem } : capture;
    case "mute":
      if (capture.is === "opening") return OFF;
      return isHeld(capture) && capture.on ? { ...capture, on: false } : capture;
    case "unmute":
      return "on" in capture && !capture.on ? { ...capture, on: true } : capture;
    case "close":
      return capture.is === "off" ? capture : OFF;
    case "released":
      if (!isPending(capture, event.attempt) || capture.is !== "changing") return capture;
      return reopening(capture, capture.attempt, capture.deviceId);
    case "ended":
      return ended(capture, event.track, event.attempt);
    case "interrupted":
      if (!isHeld(capture) || capture.track !== event.track) return capture;
      return capture.interrupted === event.interrupted
        ? capture
        : { ...capture, interrupted: event.interrupted };
  }
}

/** Unplugged, or permission withdrawn: another device is opened if there is an attempt for it. */
function ended(capture: Capture, track: MediaStreamTrack, attempt: Attempt | null): Capture {
  if (!isHeld(capture) || capture.track !== track) return capture;
  if (capture.is === "changing") return reopening(capture, capture.attempt, capture.deviceId);
  return attempt === null ? { is: "failed", problem: "failed" } : reopening(capture, attempt, null);
}

/** Drops the held track; the next one keeps its mute state. */
function reopening({ on }: Held, attempt: Attempt, deviceId: string | null): Capture {
  return { is: "opening", attempt, on, deviceId, problem: null };
}

/** The track being captured. */
export function heldTrack(capture: Capture): MediaStreamTrack | null {
  return isHeld(capture) ? capture.track : null;
}

/** The result of that attempt is still wanted. */
export function isPending(
  capture: Capture,
  attempt: Attempt,
): capture is Extract<Capture, { attempt: Attempt }> {
  return (capture.is === "opening" || capture.is === "changing") && capture.attempt === attempt;
}

/** The public state; `chosen` is the device for the next time. */
export function localDeviceOf(capture: Capture, chosen: string | null): LocalDevice {
  const held = isHeld(capture);
  return {
    on: held && capture.on,
    wanted: "on" in capture && capture.on,
    opening: capture.is === "opening" || capture.is === "changing",
    held,
    interrupted: held && capture.interrupted,
    deviceId: deviceOf(capture) ?? chosen,
    problem: capture.is === "off" ? null : capture.problem,
  };
}

function deviceOf(capture: Capture): string | null {
  switch (capture.is) {
    case "live":
      return capture.track.getSettings().deviceId ?? null;
    case "opening":
    case "changing":
      return capture.deviceId;
    default:
      return null;
  }
}

function isHeld(capture: Capture): capture is Extract<Capture, Held> {
  return capture.is === "live" || capture.is === "changing";
}

function live({ track, on, interrupted }: Held): Held & { is: "live" } {
  return { is: "live", track, on, interrupted, problem: null };
}
