/** What a suggestion is, in words. */

import { mentionText, type NodeSuggestion } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import { t } from "../../i18n/t";
import type { Refusal } from "./author";
import type { Part, Suggestion } from "./list";
import { isItem } from "./settle";

/** Characters of words that a card shows. */
const LONGEST = 140;

const FORMATS: Readonly<Record<string, string>> = {
  bold: t("bold|format"),
  italic: t("italic|format"),
  underline: t("underlined|format"),
  strike: t("struck out|format"),
  code: t("code|format"),
  link: t("link|format"),
  highlight: t("highlight|format"),
  textStyle: t("colour or font|format"),
  subscript: t("subscript|format"),
  superscript: t("superscript|format"),
};

const NODES: Readonly<Record<string, string>> = {
  paragraph: t("Paragraph|block"),
  heading: t("Heading|block"),
  codeBlock: t("Code block"),
  blockquote: t("Quote"),
  bulletList: t("Bulleted list"),
  orderedList: t("Numbered list"),
  taskList: t("Task list"),
  listItem: t("List item"),
  taskItem: t("Task|block"),
  horizontalRule: t("Horizontal line"),
  hardBreak: t("Line break"),
  table: t("Table"),
  tableRow: t("Row"),
  tableCell: t("Column"),
  tableHeader: t("Column"),
  image: t("Picture"),
  inlineMath: t("Formula"),
  blockMath: t("Formula"),
  callout: t("Callout"),
  details: t("Collapsible section"),
  pageBreak: t("Page break"),
};

export interface Line {
  /** What is done, as “Add”. */
  readonly act: string;
  readonly words: string;
}

/** The lines of a card. */
export function linesOf({ parts }: Pick<Suggestion, "parts">): readonly Line[] {
  // A new paragraph that has words is seen in the words.
  const isSaid = (part: Part, index: number) =>
    part.kind === "block" &&
    part.suggestion.kind === "insert" &&
    part.node.type.name === "paragraph" &&
    parts.slice(index + 1).some(({ kind }) => kind === "add");
  const lines = parts
    .filter((part, index) => !isSaid(part, index))
    .map(lineOf)
    .filter(({ words }) => words !== "");
  return lines.filter(
    ({ act, words }, index) => lines.findIndex((one) => one.act === act && one.words === words) === index,
  );
}

function lineOf(part: Part): Line {
  switch (part.kind) {
    case "add":
      if (part.words.replaceAll("\n", "") === "") return { act: t("Add:"), words: t("new paragraph") };
      return { act: t("Add:"), words: quoted(part.words) };
    case "delete":
      return { act: t("Delete:"), words: quoted(part.words) };
    case "format":
      return formatLine(part);
    case "block":
      return part.isSpent
        ? spent(blockLine(part.suggestion, part.node))
        : blockLine(part.suggestion, part.node);
  }
}

function formatLine({ add, remove }: Extract<Part, { kind: "format" }>): Line {
  const come = add.map(({ type }) => FORMATS[type] ?? type);
  const gone = remove.map((type) => t("not {format}", { format: FORMATS[type] ?? type }));
  return { act: t("Format:"), words: [...come, ...gone].join(", ") };
}

function blockLine({ kind, type, attrs }: NodeSuggestion, node: Node): Line {
  const name = nameOf(node.type.name, node.attrs);
  switch (kind) {
    case "insert":
      return { act: t("Add:"), words: leafWords(node) ?? name };
    case "delete":
      return { act: t("Delete:"), words: leafWords(node) ?? name };
    case "set":
      if (type === undefined) return { act: t("Change:"), words: attributesOf(attrs ?? {}, name) };
      return { act: t("Change to:"), words: nameOf(type, attrs ?? {}) };
    case "join":
      return { act: t("Join:"), words: t("with the paragraph before") };
    case "wrap":
      if (isItem(node)) return { act: t("Change:"), words: t("indent") };
      return { act: t("Change to:"), words: nameOf(type ?? "", attrs ?? {}) };
    case "lift":
      return { act: t("Move out:"), words: name };
  }
}

function spent({ act, words }: Line): Line {
  return { act, words: t("{change} (changes nothing any more)", { change: words }) };
}

function nameOf(type: string, attrs: Node["attrs"]): string {
  if (type === "heading" && typeof attrs.level === "number")
    return t("Heading {level}", { level: attrs.level });
  return NODES[type] ?? type;
}

function attributesOf(attrs: Node["attrs"], name: string): string {
  if ("level" in attrs) return t("Heading {level}", { level: Number(attrs.level) });
  if ("textAlign" in attrs) return t("alignment");
  if ("indent" in attrs) return t("indent");
  if ("checked" in attrs) return attrs.checked ? t("done|task") : t("not done|task");
  return name;
}

function leafWords(node: Node): string | null {
  return node.type.name === "mention" ? mentionText(node.attrs) : null;
}

function quoted(words: string): string {
  const line = words.replace(/\s*\n\s*/g, " ¶ ");
  return t("“{words}”", { words: line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line });
}

/** Why something was not suggested. */
export function refusalWords(reason: Refusal | "loading"): string {
  switch (reason) {
    case "table":
      return t(
        "This change of the table cannot be suggested. You can suggest to insert or delete rows and columns between merged cells.",
      );
    case "structure":
      return t("This cannot be suggested. Try it in smaller steps.");
    case "loading":
      return t("Suggesting is not loaded yet. Try again in a moment.");
  }
}
