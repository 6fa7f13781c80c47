/** What may stand behind the person in the own picture. */
import type { Preference } from "../preferences.ts";
import hills from "./backgrounds/hills.svg";
import lights from "./backgrounds/lights.svg";
import room from "./backgrounds/room.svg";
import { Flag } from "./flag.ts";

export type Background = Preference<"background">;

/** In the order in which they are offered. */
export const BACKGROUNDS: readonly Background[] = [
  "none",
  "slight",
  "strong",
  "room",
  "hills",
  "lights",
];

/** Addresses of the pictures. */
export const PICTURES: Readonly<Partial<Record<Background, string>>> = { room, hills, lights };

/** Changing the background takes so long that the picture stutters. */
export const isBackgroundSlow = new Flag();

/** Graphics turned out too slow for it, so it is changed on the processor. */
export const isGraphicsSlow = new Flag();

/** Whether this browser has what the background is changed with. */
export const canChangeBackground =
  typeof OffscreenCanvas === "function" && typeof WebAssembly === "object";
