/** The layouts that a user can choose. */
export type View = "auto" | "grid" | "speaker" | "side";

export const VIEWS: readonly View[] = ["auto", "grid", "speaker", "side"];

/** The stored choice; the automatic layout if there is none. */
export function viewOf(stored: string | undefined): View {
  return VIEWS.find((view) => view === stored) ?? "auto";
}

/** Where one's own video is shown: in its place among the others, above them, or nowhere. */
export type SelfView = "shown" | "floating" | "hidden";

export const SELF_VIEWS: readonly SelfView[] = ["shown", "floating", "hidden"];

export function selfViewOf(stored: string | undefined): SelfView {
  return SELF_VIEWS.find((view) => view === stored) ?? "shown";
}
