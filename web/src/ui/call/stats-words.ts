/** Numbers of a connection as people read them. */
import type { Flow, Layer, ParticipantId } from "../../client/index.ts";

/** Bits per second. */
export function rate(bits: number): string {
  if (bits >= 1_000_000) return `${(bits / 1_000_000).toFixed(1)} Mb/s`;
  return `${Math.round(bits / 1000)} kb/s`;
}

/** A share, 0 to 1. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

export function milliseconds(time: number | null): string {
  return time === null ? "–" : `${Math.round(time)} ms`;
}

/** Frames and inner layers of a picture. */
export function motionOf({ frameRate, mode }: Layer): string {
  const inner = mode === null || mode === "L1T1" ? "" : ` · ${mode}`;
  return `${Math.round(frameRate)} fps${inner}`;
}

/** What comes from each participant together, in their order on the page; what goes out last. */
export function inOrder(flows: readonly Flow[], participants: readonly ParticipantId[]): Flow[] {
  const place = ({ direction, participant }: Flow) =>
    direction === "out" ? participants.length : participants.indexOf(participant);
  return [...flows].sort(
    (a, b) => place(a) - place(b) || SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source),
  );
}

const SOURCES: readonly Flow["source"][] = ["camera", "microphone", "screen", "screen_audio"];
