/** React context for the page's language, which is stored on the device and set on `<html>`. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { preferences } from "../preferences.ts";
import type { Messages } from "./en.ts";
import { catalogues, chooseLanguage, type Language } from "./language.ts";

interface I18n {
  language: Language;
  t: Messages;
  setLanguage: (language: Language) => void;
}

const I18nContext = createContext<I18n | null>(null);

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() =>
    chooseLanguage(preferences.read("language"), navigator.languages),
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const i18n = useMemo<I18n>(
    () => ({
      language,
      t: catalogues[language],
      setLanguage: (next) => {
        preferences.write("language", next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <I18nContext value={i18n}>{children}</I18nContext>;
}

/** Returns the current language, its catalogue `t`, and the function that changes it. */
export function useI18n(): I18n {
  const i18n = use(I18nContext);
  if (!i18n) throw new Error("useI18n needs an I18nProvider above it");
  return i18n;
}
