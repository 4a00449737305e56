/** Markdown on the clipboard: told from other plain text, and read as what it says.
 *
 * Plain text is taken for Markdown only where that is plain: a star or a hash alone is more often something else.
 */

/** What stands at the beginning of a line of Markdown, and seldom in other text. */
const HEADING = /^#{1,6} \S/;
const FENCE = /^(```|~~~)/;
const ITEM = /^\s*([-*+]|\d{1,9}[.)]) \S/;
const TASK = /^\s*[-*+] \[[ xX]\] \S/;
const QUOTE = /^> ?\S/;
const RULE_OF_TABLE = /^\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)+\|?\s*$/;
const LINK = /!?\[[^\]\n]+\]\([^()\s]+\)/;
const MARK = /(\*\*|__)(?=\S)[^\n]*?\S\1/;

/** Lines that are code: what begins with a hash there is a remark. */
const CODE =
  /[;{}]\s*$|^(import|from) [\w.]+(\s|$)|^\s*(def|class|function|const|let|var|export|return|if|for|echo|sudo)\b.*[=(:;]/;

/** Whether a text says by several signs, or by one that nothing else has, that it is Markdown. */
export function isPlainlyMarkdown(text: string): boolean {
  const lines = text.split(/\r\n?|\n/);
  const has = (sign: RegExp) => lines.some((line) => sign.test(line));
  const count = (sign: RegExp) => lines.filter((line) => sign.test(line)).length;
  if (count(FENCE) >= 2 || has(RULE_OF_TABLE) || has(TASK)) return true;
  if (lines.some((line) => CODE.test(line))) return false;
  const isHeaded = lines.some((line, at) => {
    const [before, after] = [lines[at - 1] ?? "", lines[at + 1] ?? ""];
    return HEADING.test(line) && (before.trim() === "" || after.trim() === "");
  });
  if (lines.length > 1 && isHeaded) return true;
  const signs = [has(LINK), has(MARK), count(ITEM) >= 2, has(QUOTE)].filter(Boolean).length;
  return has(LINK) || signs >= 2 || count(ITEM) >= 3 || (has(MARK) && lines.length > 1);
}

/** Returns the text as HTML, to be pasted like any other. */
export async function markdownHtml(text: string): Promise<string> {
  const { marked } = await import("marked");
  return marked.parse(text, { async: false, gfm: true });
}
