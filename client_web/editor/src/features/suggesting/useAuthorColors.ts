/** Colours of suggested words: each author's own, and stronger for the suggestion that is in front. */

import { useEffect } from "react";
import { asInk } from "../../ui/color";
import type { Suggestion } from "./list";
import { colorOf } from "./people";

export function useAuthorColors(all: readonly Suggestion[], active: string | null): void {
  const rules = [...new Set(all.map(({ user }) => user))]
    .sort()
    .map((user) => `[data-by="${CSS.escape(user)}"] { --by: ${asInk(colorOf(user))}; }`)
    .join("\n");
  const chosen = all.some(({ id }) => id === active) ? active : null;
  useEffect(() => withRules(rules === "" ? [] : rules.split("\n")), [rules]);
  useEffect(() => {
    if (chosen === null) return;
    return withRules([
      `.page-sheet-text [data-suggestion~="${CSS.escape(chosen)}"] { background: color-mix(in srgb, var(--by) 22%, transparent); }`,
    ]);
  }, [chosen]);
}

/** Adds rules to the page, and returns what takes them away. */
function withRules(rules: readonly string[]): () => void {
  const sheet = new CSSStyleSheet();
  for (const rule of rules) sheet.insertRule(rule);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
  };
}
