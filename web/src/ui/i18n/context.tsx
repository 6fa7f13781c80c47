/** The page's language: chosen once, changeable, remembered, told to `<html lang>`. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { preferences } from "../preferences.ts";
import type { Messages } from "./en.ts";
import { catalogues, chooseLanguage, type Language } from "./language.ts";

interface Speech {
  language: Language;
  t: Messages;
  speak: (language: Language) => void;
}

const SpeechContext = createContext<Speech | null>(null);

export function SpeechProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() =>
    chooseLanguage(preferences.read("language"), navigator.languages),
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo<Speech>(
    () => ({
      language,
      t: catalogues[language],
      speak: (next) => {
        preferences.write("language", next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

/** The catalogue of the language spoken now, and the way to change it. */
export function useSpeech(): Speech {
  const speech = use(SpeechContext);
  if (!speech) throw new Error("useSpeech needs a SpeechProvider above it");
  return speech;
}
