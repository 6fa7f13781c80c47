/** React context for the page's language, which is stored on the device and set on `<html>`. */
import { createContext, type ReactNode, use, useEffect, useMemo, useRef, useState } from "react";
import { preferences } from "../preferences.ts";
import { visit } from "../visit.ts";
import type { Messages } from "./en.ts";
import { chooseLanguage, type Language, loadCatalogue } from "./language.ts";

/** A language with its texts. */
export interface Catalogue {
  language: Language;
  t: Messages;
}

interface I18n extends Catalogue {
  /** Stores the language; it applies once its texts are loaded. */
  setLanguage: (language: Language) => void;
}

const I18nContext = createContext<I18n | null>(null);

/** Loads the texts with which the page starts. */
export async function loadInitialCatalogue(): Promise<Catalogue> {
  const language = storedLanguage();
  return { language, t: await loadCatalogue(language) };
}

/** The language of the address, until another is chosen. */
let asked = visit.language;

function storedLanguage(): Language {
  return chooseLanguage(asked ?? preferences.read("language"), navigator.languages);
}

interface Props {
  initial: Catalogue;
  children: ReactNode;
}

export function I18nProvider({ initial, children }: Props) {
  const [catalogue, setCatalogue] = useState(initial);
  /** The language chosen last: texts of an earlier choice may arrive after its own. */
  const chosen = useRef(initial.language);
  const { language } = catalogue;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  // Also the choice made in another tab.
  useEffect(
    () =>
      preferences.subscribe(() => {
        const next = storedLanguage();
        if (next === chosen.current) return;
        chosen.current = next;
        const apply = (t: Messages) => {
          if (chosen.current === next) setCatalogue({ language: next, t });
        };
        loadCatalogue(next).then(apply, () => {
          // The server is away: the page stays in its language, and the next choice tries again.
          if (chosen.current === next) chosen.current = document.documentElement.lang as Language;
        });
      }),
    [],
  );
  const i18n = useMemo<I18n>(
    () => ({
      ...catalogue,
      setLanguage: (next) => {
        asked = undefined;
        preferences.write("language", next);
      },
    }),
    [catalogue],
  );
  return <I18nContext value={i18n}>{children}</I18nContext>;
}

/** Returns the current language, its catalogue `t`, and the function that changes it. */
export function useI18n(): I18n {
  const i18n = use(I18nContext);
  if (!i18n) throw new Error("useI18n needs an I18nProvider above it");
  return i18n;
}
