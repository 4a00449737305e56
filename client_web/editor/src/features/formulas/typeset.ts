/** LaTeX made visible by KaTeX, which is loaded with the first formula that is seen. */

import katex, { ParseError } from "katex";
import { t } from "../../i18n/t";
import { reasonOf } from "./reasons";
import "katex/dist/katex.min.css";

/** How far macros may expand, and how large a rule may be, in ems: formulas come from other people. */
const BOUNDS = { maxExpand: 500, maxSize: 40, strict: "ignore", trust: false } as const;

export type Typeset = { readonly html: string } | { readonly problem: string };

/**
 * Returns a formula as HTML with MathML beside it for screen readers, as MathML alone for files, or
 * what is wrong with it.
 */
export function typeset(latex: string, isBlock: boolean, output: "htmlAndMathml" | "mathml"): Typeset {
  try {
    return { html: katex.renderToString(latex, { ...BOUNDS, displayMode: isBlock, output }) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof ParseError)) return t("This formula cannot be drawn. Make it simpler.");
  const { position, rawMessage } = error as ParseError & { readonly rawMessage?: string };
  const reason = reasonOf((rawMessage ?? error.message).replace(/^KaTeX parse error: /, ""));
  const what =
    position === undefined
      ? t("This LaTeX cannot be read.")
      : t("This LaTeX cannot be read at character {number, number}.", { number: position + 1 });
  return `${what} ${reason}`.trim();
}
