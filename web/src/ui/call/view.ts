import type { Preference } from "../preferences.ts";

/** The layouts that a user can choose. */
export type View = Preference<"view">;

export const VIEWS: readonly View[] = ["auto", "grid", "speaker", "side"];

/** Place of one's own video: in its place among the others, above them, or nowhere. */
export const SELF_VIEWS: readonly Preference<"self">[] = ["shown", "floating", "hidden"];
