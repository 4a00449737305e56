/** The choice of the interface's language, as a part of a menu or as a field. The page is loaded anew in the chosen one.
 *
 * A page with changes that are neither saved nor kept on the device asks before it goes (the provider's `leaving.ts`).
 */
import { useId } from "react";
import { chooseLanguage, LANGUAGE, LANGUAGES, type Language } from "../i18n/language";
import { t } from "../i18n/t";
import { MenuChoice } from "./Menu";

const OPTIONS = (Object.keys(LANGUAGES) as Language[]).map((language) => ({
  value: language,
  label: <span lang={language}>{LANGUAGES[language]}</span>,
}));

export function LanguageChoices() {
  return <MenuChoice label={t("Language")} value={LANGUAGE} onChange={choose} options={OPTIONS} />;
}

export function LanguageField({ className }: { readonly className: string }) {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id}>{t("Language")}</label>
      <select id={id} value={LANGUAGE} onChange={({ target }) => choose(target.value as Language)}>
        {OPTIONS.map(({ value }) => (
          <option key={value} value={value} lang={value}>
            {LANGUAGES[value]}
          </option>
        ))}
      </select>
    </div>
  );
}

function choose(language: Language): void {
  if (language === LANGUAGE) return;
  chooseLanguage(language);
  window.location.reload();
}
