/** Which languages the page speaks, and which one it chooses. */
import { en, type Messages } from "./en.ts";
import { ko } from "./ko.ts";

export const catalogues = { en, ko } satisfies Record<string, Messages>;

export type Language = keyof typeof catalogues;

export const languages = Object.keys(catalogues) as Language[];

export function isLanguage(tag: unknown): tag is Language {
  return typeof tag === "string" && Object.hasOwn(catalogues, tag);
}

/** The remembered language, else the first of the browser's that we speak, else English. */
export function chooseLanguage(remembered: unknown, preferred: readonly string[]): Language {
  if (isLanguage(remembered)) return remembered;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split("-")[0];
    if (isLanguage(primary)) return primary;
  }
  return "en";
}
