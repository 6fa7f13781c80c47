/** The texts in the page's language. */
import { useI18n } from "../../i18n/context.tsx";
import type { Language } from "../../i18n/language.ts";
import { en, type Texts } from "./en.ts";
import { ko } from "./ko.ts";

const catalogues: Record<Language, Texts> = { en, ko };

export type { Texts };

export function useTexts(): { t: Texts; language: Language } {
  const { language } = useI18n();
  return { t: catalogues[language], language };
}
