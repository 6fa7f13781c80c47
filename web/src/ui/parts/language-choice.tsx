import { useI18n } from "../i18n/context.tsx";
import { isLanguage, languageNames, languages } from "../i18n/language.ts";
import { Select } from "./field.tsx";

/** Language selector. Each language is listed under its own name. */
export function LanguageChoice({ compact = false }: { compact?: boolean }) {
  const { language, setLanguage, t } = useI18n();
  return (
    <Select
      label={t.languageLabel}
      icon="globe"
      hideLabel={compact}
      borderless={compact}
      value={language}
      onSelect={(selected) => {
        if (isLanguage(selected)) setLanguage(selected);
      }}
    >
      {languages.map((each) => (
        <option key={each} value={each} lang={each}>
          {languageNames[each]}
        </option>
      ))}
    </Select>
  );
}
