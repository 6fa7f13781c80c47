/** Numbers of a connection as people read them. */
import type { Flow } from "../../client/index.ts";

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

/** Size, frames and layers of a video. */
export function pictureOf({ width, height, frameRate, layers }: Flow): string {
  if (width === null || height === null) return "–";
  const size = `${width}×${height}`;
  const frames = frameRate === null ? "" : ` · ${Math.round(frameRate)} fps`;
  return `${size}${frames}${layers.length > 0 ? ` · ${layers.join(" ")}` : ""}`;
}
