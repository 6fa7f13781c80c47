/** The chosen colours and movement, set on `<html>` for the style sheets. */
import { preferences } from "./preferences.ts";
import { visit } from "./visit.ts";

/** `--paper`, for the browser's own bar on phones. */
const PAPER = { light: "#f4f7f5", dark: "#0f1613" } as const;

/** The colours of the address, until others are chosen. */
let asked = visit.theme;
const chosenBefore = preferences.read("theme");

/** Applies the choices, now and whenever they change. */
export function followAppearance(): void {
  apply();
  preferences.subscribe(apply);
}

function apply(): void {
  const { dataset } = document.documentElement;
  const chosen = preferences.read("theme");
  if (chosen !== chosenBefore) asked = undefined;
  const theme = asked ?? chosen ?? "system";
  dataset.theme = theme;
  dataset.motion = preferences.read("motion") ?? "system";
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.content = PAPER[theme === "system" ? schemeOf(meta) : theme];
  }
}

/** The scheme of the system for which this element is. */
function schemeOf({ media }: HTMLMetaElement): "light" | "dark" {
  return media.includes("dark") ? "dark" : "light";
}
