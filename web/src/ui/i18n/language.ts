/** Supported languages, the choice of one, and its catalogue, which is a file of its own. */
import type { Messages } from "./en.ts";

/** Each language under its own name. */
export const languageNames = { en: "English", ko: "한국어" } as const;

export type Language = keyof typeof languageNames;

export const languages = Object.keys(languageNames) as Language[];

const loaders: Record<Language, () => Promise<Messages>> = {
  en: async () => (await import("./en.ts")).en,
  ko: async () => (await import("./ko.ts")).ko,
};

/** Loads the texts of a language; fails if the server can't be reached. */
export function loadCatalogue(language: Language): Promise<Messages> {
  return loaders[language]();
}

export function isLanguage(tag: unknown): tag is Language {
  return typeof tag === "string" && Object.hasOwn(languageNames, tag);
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
