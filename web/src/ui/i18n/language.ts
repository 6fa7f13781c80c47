/** Supported languages, and the choice of one. */
import { en, type Messages } from "./en.ts";
import { ko } from "./ko.ts";

export const catalogues = { en, ko } satisfies Record<string, Messages>;

export type Language = keyof typeof catalogues;

export const languages = Object.keys(catalogues) as Language[];

export function isLanguage(tag: unknown): tag is Language {
  return typeof tag === "string" && Object.hasOwn(catalogues, tag);
}

/** The stored language, else the browser's first supported language, else English. */
export function chooseLanguage(stored: unknown, preferred: readonly string[]): Language {
  if (isLanguage(stored)) return stored;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split("-")[0];
    if (isLanguage(primary)) return primary;
  }
  return "en";
}
