/** The chosen colours and movement, set on `<html>` for the style sheets. */
import { useSyncExternalStore } from "react";
import { type Preference, preferences } from "./preferences.ts";
import { visit } from "./visit.ts";

/** `--paper`, for the browser's own bar on phones. */
const PAPER = { light: "#f4f7f5", dark: "#0f1613" } as const;

/** The colours of the address, until others are chosen. */
let asked = visit.theme;
const chosenBefore = preferences.read("theme");

/** The colours that are shown, and the choice of others. */
export const theme = {
  shown: (): Preference<"theme"> => asked ?? preferences.read("theme") ?? "system",

  /** A choice ends the colours of the address, also if it was made before. */
  choose(chosen: Preference<"theme">): void {
    asked = undefined;
    preferences.write("theme", chosen);
  },
};

/** As `theme`, for a component. */
export function useTheme(): [Preference<"theme">, (chosen: Preference<"theme">) => void] {
  return [useSyncExternalStore(preferences.subscribe, theme.shown), theme.choose];
}

/** Applies the choices, now and whenever they change. */
export function followAppearance(): void {
  apply();
  preferences.subscribe(apply);
}

function apply(): void {
  const { dataset } = document.documentElement;
  // Another tab has chosen.
  if (preferences.read("theme") !== chosenBefore) asked = undefined;
  const shown = theme.shown();
  dataset.theme = shown;
  dataset.motion = preferences.read("motion") ?? "system";
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.content = PAPER[shown === "system" ? schemeOf(meta) : shown];
  }
}

/** The scheme of the system for which this element is. */
function schemeOf({ media }: HTMLMetaElement): "light" | "dark" {
  return media.includes("dark") ? "dark" : "light";
}
