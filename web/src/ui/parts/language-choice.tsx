import { useSpeech } from "../i18n/context.tsx";
import { catalogues, isLanguage, languages } from "../i18n/language.ts";
import { Select } from "./field.tsx";

/** Each language under its own name, so that it is found by those who speak it. */
export function LanguageChoice({ quiet = false }: { quiet?: boolean }) {
  const { language, speak, t } = useSpeech();
  return (
    <Select
      label={t.languageLabel}
      icon="globe"
      bare={quiet}
      quiet={quiet}
      value={language}
      onPick={(picked) => {
        if (isLanguage(picked)) speak(picked);
      }}
    >
      {languages.map((each) => (
        <option key={each} value={each} lang={each}>
          {catalogues[each].language}
        </option>
      ))}
    </Select>
  );
}
