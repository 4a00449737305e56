/** Why LaTeX cannot be read, in people's words: what KaTeX says, by the form of its English sentences. */

import { LANGUAGE } from "../../i18n/language";
import { t } from "../../i18n/t";

type Words = (first: string, second: string) => string;

const REASONS: readonly (readonly [RegExp, Words])[] = [
  [
    /^Undefined control sequence: (.+)$/s,
    (name) => t("“{name}” is no command that is known here.", { name }),
  ],
  [/^No such environment: (.+)$/s, (name) => t("There is no environment “{name}”.", { name })],
  [
    /^Mismatch: (\\begin.+) matched by (\\end.+)$/s,
    (begin, end) => t("“{end}” does not end “{begin}”.", { begin, end }),
  ],
  [/^Expected 'EOF', got '\}'$/s, () => t("There is a closing brace too many.")],
  [/^Expected 'EOF', got '(.+)'$/s, (found) => t("“{found}” does not belong here.", { found })],
  [/^Expected '(.+)', got 'EOF'$/s, (wanted) => t("“{wanted}” is missing at the end.", { wanted })],
  [
    /^Expected '(.+)', got '(.+)'$/s,
    (wanted, found) => t("“{wanted}” is missing before “{found}”.", { wanted, found }),
  ],
  [
    /^Expected group (?:after|as argument to) '(.+)'$/s,
    (name) => t("Something is missing after “{name}”.", { name }),
  ],
  [/^Got function '(.+)' with no arguments/s, (name) => t("“{name}” needs braces around it here.", { name })],
  [/^(?:Expected & or|Expected \\\\ or)/s, () => t("The rows of a table end in “{end}”.", { end: "\\\\" })],
  [/^Unexpected end of input/s, () => t("The end of the formula comes too early.")],
  [/^Extra \}$/s, () => t("There is a closing brace too many.")],
  [/^Double superscript$/s, () => t("There are two superscripts in one place.")],
  [/^Double subscript$/s, () => t("There are two subscripts in one place.")],
  [/^Invalid color: '(.*)'$/s, (name) => t("“{name}” is no colour.", { name })],
  [/^Invalid (?:size|unit): '(.*)'$/s, (name) => t("“{name}” is no length.", { name })],
  [/^Invalid delimiter '(.*)' after/s, (name) => t("“{name}” is no bracket.", { name })],
  [/^Can't use function '\$'/s, () => t("A formula is written without dollar signs here.")],
  [/^only one infix operator per group$/s, () => t("Two operators between the same terms need braces.")],
  [/^Can't use function '(.+)' in text mode$/s, (name) => t("“{name}” does not go into text.", { name })],
  [/^Can't use function '(.+)' in math mode$/s, (name) => t("“{name}” goes into text alone.", { name })],
  [/^Unexpected character: '(.+)'/s, (name) => t("“{name}” cannot stand in a formula.", { name })],
  [
    /^(.+) (?:works only in display equations|can be used only in display mode\.)$/s,
    (name) => t("“{name}” needs a formula on a line of its own.", { name }),
  ],
  [/^Limit controls must follow/s, () => t("Limits follow a sum or another operator.")],
  [/^Too many tab characters/s, () => t("A row of the table has too many columns.")],
  [/^Too many expansions/s, () => t("Its macros expand without an end.")],
];

/** Returns a sentence. Where nothing fits, English pages show KaTeX's own, and others none. */
export function reasonOf(message: string): string {
  for (const [form, words] of REASONS) {
    const found = form.exec(message);
    if (found) return words(found[1] ?? "", found[2] ?? "");
  }
  return LANGUAGE === "en" ? message.replace(/\.?$/, ".") : "";
}
