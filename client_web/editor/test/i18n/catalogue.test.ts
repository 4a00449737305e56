// @vitest-environment node
/** The words of the page and their translations, read from the source: all are found, all are there, none is left over. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MessageFormatElement, parse, TYPE } from "@formatjs/icu-messageformat-parser";
import { parseSync } from "vite";
import { describe, expect, it } from "vitest";

const SOURCE = join(import.meta.dirname, "../../src");

/** Words that nobody reads: names of keys, of media types, of fonts and the like. */
const NO_WORDS = [
  /^(Content-Type|\w+Error)$/,
  /^(Mod|Shift|Alt|Ctrl)([+-]|$)/,
  /^(Key[A-Z]|Enter|Esc|Escape|Tab|Backspace|Delete|Home|End|Comma|Period|AltGraph|Page(Up|Down)|Arrow\w+)(, \w+)?$/,
  /^(Arial|Verdana|Trebuchet|Georgia|Times New Roman|Courier New|Comic Sans)\b/,
];

/** Files that hold the names of languages, of people and of programs. */
const NAMES = ["features/code/languages.ts", "page/documentLanguage.ts"];

/** Attributes of elements that hold words for people. */
const WORDY = [
  "label",
  "title",
  "placeholder",
  "alt",
  "aria-label",
  "aria-description",
  "aria-roledescription",
  "aria-valuetext",
  "confirmLabel",
  "description",
  "hint",
  "whose",
];

type Node = { readonly type: string; readonly [name: string]: unknown };

interface Words {
  /** First arguments of `t` and `rich`. */
  readonly messages: Set<string>;
  /** What should be one of these. */
  readonly complaints: string[];
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.tsx?$/.test(name),
);

const found: Words = { messages: new Set(), complaints: [] };
for (const file of files) collect(file, found);

const catalogues = readdirSync(join(SOURCE, "i18n"))
  .filter((name) => name.endsWith(".json") && !name.startsWith("refusals."))
  .map((name) => ({ name, words: JSON.parse(readFileSync(join(SOURCE, "i18n", name), "utf8")) }));

describe("words of the page", () => {
  it("all go through t", () => {
    expect(found.complaints).toEqual([]);
  });

  it.each(catalogues)("are all in $name, in order, and no others", ({ words }) => {
    expect(Object.keys(words)).toEqual([...found.messages].sort());
  });

  it.each(catalogues)("have the same arguments in $name", ({ words }) => {
    for (const [message, translated] of Object.entries<string>(words)) {
      expect([message, argumentsOf(translated)]).toEqual([message, argumentsOf(shown(message))]);
    }
  });
});

function collect(file: string, { messages, complaints }: Words): void {
  const path = join(SOURCE, file);
  const { program, errors } = parseSync(path, readFileSync(path, "utf8"));
  expect(errors).toEqual([]);
  walk(program as unknown as Node, [], (node, above) => {
    if (isTranslation(node)) {
      const [message] = node.arguments as readonly Node[];
      if (typeof message?.value === "string") messages.add(message.value);
      else complaints.push(`${file}: what is translated must stand there as a literal`);
    } else if (!NAMES.includes(file) && !isTranslation(above.at(-1)) && isWords(node, above)) {
      complaints.push(`${file}: ${textOf(node).trim()}`);
    }
  });
}

/**
 * Whether a literal is one that a person may read: text in elements, wordy attributes, what begins with a capital, what ends as
 * a sentence, and words beside what is put into a template.
 */
function isWords(node: Node, above: readonly Node[]): boolean {
  const text = textOf(node).trim();
  if (!/\p{L}{2}/u.test(text) || text === "Manyhands") return false;
  const parent = above.at(-1);
  if (node.type === "JSXText") return true;
  if (parent?.type === "JSXAttribute") return WORDY.includes(String((parent.name as Node).name));
  if (NO_WORDS.some((pattern) => pattern.test(text)) || above.some(isElsewhere)) return false;
  const isMixed = node.type === "TemplateElement" && [parent?.expressions].flat().length > 0;
  return (
    /^\p{Lu}\p{Ll}|\p{L} .*\p{L}[.!?…]$/u.test(text) ||
    (isMixed && /^ \p{L}{2,}|\p{L}{2,} $| \p{L}{2,} /u.test(textOf(node)))
  );
}

function isElsewhere({ type }: Node): boolean {
  return type === "ImportDeclaration" || type === "ThrowStatement" || type.startsWith("TS");
}

function textOf(node: Node): string {
  if (node.type === "TemplateElement") return String((node.value as { readonly cooked: string }).cooked);
  const isText = node.type === "JSXText" || node.type === "Literal";
  return isText && typeof node.value === "string" ? node.value : "";
}

function isTranslation(node: Node | undefined): node is Node {
  return node?.type === "CallExpression" && ["t", "rich"].includes(String((node.callee as Node).name));
}

function walk(node: Node, above: readonly Node[], visit: (node: Node, above: readonly Node[]) => void): void {
  visit(node, above);
  for (const below of Object.values(node).flat()) {
    if (isNode(below)) walk(below, [...above, node], visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** The words of a message without what tells translators which sense is meant. */
function shown(message: string): string {
  return message.split("|", 1).join();
}

/** Names of the arguments, with their kinds, and of the elements. */
function argumentsOf(message: string): readonly string[] {
  const names = (parts: readonly MessageFormatElement[]): string[] =>
    parts.flatMap((part) => {
      if (part.type === TYPE.literal || part.type === TYPE.pound) return [];
      if (part.type === TYPE.tag) return [`<${part.value}>`, ...names(part.children)];
      const inside =
        "options" in part ? Object.values(part.options).flatMap(({ value }) => names(value)) : [];
      return [`${part.value} ${TYPE[part.type]}`, ...inside];
    });
  return [...new Set(names(parse(message)))].sort();
}
