/** Formatting of connection statistics. */
import type { Layer, ParticipantId, TrackStats } from "moim-client";

/** Formats bits per second. */
export function formatBitrate(bits: number): string {
  if (bits >= 1_000_000) return `${(bits / 1_000_000).toFixed(1)} Mb/s`;
  return `${Math.round(bits / 1000)} kb/s`;
}

/** Formats a fraction, 0 to 1. */
export function formatPercent(fraction: number): string {
  const value = fraction * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

export function formatMilliseconds(time: number | null): string {
  if (time === null) return "–";
  return time > 0 && time < 1 ? "< 1 ms" : `${Math.round(time)} ms`;
}

/** Formats a layer's frame rate, and its scalability mode if it has several layers. */
export function formatFrameRate({ frameRate, mode }: Layer): string {
  const suffix = mode === null || mode === "L1T1" ? "" : ` · ${mode}`;
  return `${Math.round(frameRate)} fps${suffix}`;
}

/** Groups received tracks by participant, in their order on the page, and puts sent tracks last. */
export function sortTracks(
  tracks: readonly TrackStats[],
  participants: readonly ParticipantId[],
): TrackStats[] {
  const rank = ({ direction, participant }: TrackStats) =>
    direction === "out" ? participants.length : participants.indexOf(participant);
  return [...tracks].sort(
    (a, b) => rank(a) - rank(b) || SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source),
  );
}

const SOURCES: readonly TrackStats["source"][] = ["camera", "microphone", "screen", "screen_audio"];
