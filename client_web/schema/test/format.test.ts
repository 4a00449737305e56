/** What is written from the schema, which `make describe` renews: docs/format.md for people, and
 * crdt/content/format.json for the server. */

import type { MarkType, NodeType } from "@tiptap/pm/model";
import { expect, it } from "vitest";
import {
  ANNOTATION,
  documentSchema,
  extensions,
  FORMAT,
  FRAGMENT,
  LONGEST_CAPTION,
  LONGEST_FORMULA,
  MOST_INDENT,
  MOST_PIXELS,
  MOST_SPAN,
  SETTINGS,
  SUGGESTION_MARKS,
} from "../src/index.js";

const schema = documentSchema();

const NODES: Readonly<Record<string, string>> = {
  doc: "The root itself. It is not stored as an element.",
  paragraph: "A line of text.",
  heading:
    "A heading. `level` is 1 to 6. `anchor` is its name in links: `#h-` and the anchor. It is set when the first link is made.",
  blockquote: "A quote.",
  bulletList: "A list with dots.",
  orderedList: "A numbered list. `start` is its first number, `type` the kind of its numbers as in HTML.",
  listItem: "An item of either list.",
  taskList: "A list of tasks.",
  taskItem: "A task. `checked`: it is done.",
  codeBlock: "Lines of code, divided by line ends. `language` is a name of the writer's.",
  horizontalRule: "A line between blocks.",
  hardBreak: "A line end within a line of text.",
  table: "A table.",
  tableRow: "A row. Rows may be of unequal length after two people have changed the table at once.",
  tableCell:
    "A cell. `colwidth` is a list with the width in pixels of each of its columns, or null. `background` is a colour as CSS writes one. `align` is kept and not used.",
  tableHeader: "A cell of a header row or column, with the attributes of a cell.",
  image:
    "A picture. `src` is `/api/documents/{id}/attachments/{sha256}` of the same document. Pictures of other addresses are kept and not shown. `alt` describes the picture to people who cannot see it: null says that nobody has yet, and an empty text that it only decorates. `caption` is a line below it.",
  inlineMath: "A formula among words. `latex` is its LaTeX.",
  blockMath: "A formula by itself. `latex` is its LaTeX.",
  callout: "Blocks that stand out. `kind` is `info`, `tip` or `warning`; others are shown as `info`.",
  details: "A collapsible: a summary, and what the summary hides. Whether it is open is not stored.",
  detailsSummary: "The line of a collapsible that is always shown.",
  detailsContent: "What a collapsible hides.",
  mention: "A person who is named among words. `id` is the person's id, `label` the name.",
  pageBreak: "The end of a page on paper.",
  text: "Characters.",
};

const MARKS: Readonly<Record<string, string>> = {
  link: "A link. `href` begins with http:, https: or mailto:, or is relative; others are kept and not opened. `target`, `rel` and `class` are kept and not used.",
  textStyle:
    "Colour, font and size of text, as CSS writes them. `lineHeight` and `backgroundColor` are kept and not shown.",
  subscript: "Small letters below the line. Excludes `superscript`.",
  superscript: "Small letters above the line. Excludes `subscript`.",
  highlight: "A background. `color` is as CSS writes one; null is the usual yellow.",
  bold: "Bold text.",
  italic: "Slanted text.",
  strike: "Struck-out text.",
  underline: "Underlined text.",
  code: "Code within a line. Excludes all other marks but annotations.",
  insertion:
    "Words that somebody suggests. `id`, `user` and `at` as in `suggestion` above. `run` is a number for each burst of typing. `break` is null, or says that the character stands for the end of a line, and how many levels that cuts: 1 for a paragraph, 2 for an item of a list.",
  deletion: "Words that somebody suggests to delete.",
  formatting:
    "Words that somebody suggests to format: `add` is a list of `{type, attrs}`, `remove` a list of names of marks.",
  comment:
    "An annotation: what a thread of comments is about. `id` is the thread's, `user` the person who set the mark. Marks of several threads may stand on the same words.",
};

const SHARED: Readonly<Record<string, string>> = {
  dir: "`dir` is `ltr` or `rtl`; null leaves the direction to the first strong letter.",
  indent: "`indent` is how many levels a line is moved in, 1 to 8.",
  lineHeight: "`lineHeight` of a block is the space of its lines as a factor of the type size, `1` to `4`.",
  annotations: `\`annotations\` of a node is never stored: a binding reads it from the element's own marks.
  An attribute whose name is a key with a hash, as a text has it, is a mark of the element. So
  several people comment on one picture, and none overwrites another.`,
  suggestion: `\`suggestion\` of any node is null or \`{id, user, at, kind, type, attrs}\`: what the person \`user\`
  suggests since \`at\`, in milliseconds since 1970. The \`kind\` \`insert\` says that the node itself is
  suggested. Everything of one \`id\` is one suggestion. Up to version 4 the attribute also holds the
  other kinds.`,
  proposals: `\`proposals\` of a node is never stored: a binding reads it from attributes of the element. The
  name of each is \`suggestion--\` and eight characters, a hash of a person's id. Each is like
  \`suggestion\`, and holds what this person proposes for the node. \`kind\` is \`delete\`, \`set\` (another
  \`type\` or other \`attrs\`; what both types have and \`attrs\` does not name stays), \`join\` (to the
  node before), \`wrap\` or \`lift\`. So several people propose something for one node, and none
  overwrites another.`,
  look: "`look` is `title` or `subtitle`: a line that names the document.",
  textAlign: "`textAlign` is `left`, `center`, `right` or `justify`; null is where the line begins.",
};

/** Attributes of which the nodes' table does not speak. */
const UNSAID = ["suggestion", "proposals", "annotations"];

function attributesOf({ spec }: NodeType | MarkType): string {
  const entries = Object.entries(spec.attrs ?? {}) as [string, { default?: unknown }][];
  const own = entries.filter(([name]) => !UNSAID.includes(name));
  const written = own.map(([name, { default: usual }]) => `\`${name}\` = \`${JSON.stringify(usual)}\``);
  return written.join(", ");
}

/** What is said of a node that does not allow all marks. */
const LESS_MARKS: Readonly<Record<string, string>> = {
  "": ", no marks",
  [ANNOTATION]: ", no marks but annotations",
};

function nodeRow(type: NodeType): string {
  const { content, group, marks } = type.spec;
  const holds = content === undefined ? "" : `\`${content}\`${LESS_MARKS[marks ?? "_"] ?? ""}`;
  const cells = [`\`${type.name}\``, holds, group ?? "", attributesOf(type), NODES[type.name]];
  return `| ${cells.join(" | ")} |`;
}

function markRow(type: MarkType): string {
  return `| \`${type.name}\` | ${attributesOf(type)} | ${MARKS[type.name]} |`;
}

function described(): string {
  const nodes = Object.values(schema.nodes);
  const marks = Object.values(schema.marks);
  return `# The format \`${FORMAT.name}\`, version ${FORMAT.version}

What the rich text of a document may hold that Manyhands' editor writes. This page is written from
the schema in \`client_web/schema\` by \`make describe\`; a test says when it is stale. For Tiptap the
same is the package [@manyhands/schema](../client_web/schema/README.md). What a format is for,
[PROTOCOL.md](../server/PROTOCOL.md#formats) says.

The rich text lives in the root \`XmlFragment\` named \`${FRAGMENT}\` of the Yjs document, as stock Tiptap
stores it:

- A node is a \`Y.XmlElement\` whose name is the node's. Its children are the element's children, and
  its attributes the element's attributes, as JSON values. An attribute that has its default may be
  absent.
- Text is a \`Y.XmlText\` in the element. Neighbouring characters are in one \`Y.XmlText\`.
- A mark is a format of the text: its key is the mark's name, its value an object of the mark's
  attributes, \`{}\` without any. A key with two hyphens and eight characters of a hash behind the
  name is the same mark.

## Nodes
\`holds\` is a [content expression][] of ProseMirror. A name in it is a node or a group. The order of
the nodes is that of the schema.

[content expression]: https://prosemirror.net/docs/guide/#schema.content_expressions

| node | holds | group | attributes and their defaults | |
|---|---|---|---|---|
${nodes.map(nodeRow).join("\n")}

${Object.values(SHARED)
  .map((sentence) => `- ${sentence}`)
  .join("\n")}

## Marks
Marks are nested in this order, the first one outermost.

| mark | attributes and their defaults | |
|---|---|---|
${marks.map(markRow).join("\n")}

## What does not fit
Two honest changes at once may leave what is not valid, such as a list item without a paragraph.
Readers add what is missing, empty, and bring attributes within bounds: \`colspan\` and \`rowspan\` 1 to
64, \`level\` 1 to 6, sizes up to 20,000 pixels. They do not write that into the document.

## Beside the rich text
The root \`Map\` named \`${SETTINGS}\` says something about the document as a whole. It belongs to no
version: readers ignore an entry that they do not know, and writers keep it.

| key | value | |
|---|---|---|
| \`language\` | a language tag as in HTML's \`lang\` (BCP 47) | The language that the text is written in. Absent: nobody has chosen one. |

## Versions
Each version knows all that the versions before it know. A version that adds a node, a mark or an
attribute has a higher number. Nothing is ever taken out or given another meaning under the same
name.

| version | since | what was added |
|---|---|---|
| 1 | 0.1.0 | everything but what follows |
| 2 | 0.1.0 | the nodes \`callout\`, \`details\`, \`detailsSummary\`, \`detailsContent\`, \`mention\` and \`pageBreak\`; the marks \`subscript\` and \`superscript\`; \`indent\`, \`lineHeight\` and \`look\` of lines; \`fontFamily\` and \`fontSize\` are shown |
| 3 | 0.1.0 | the marks \`insertion\`, \`deletion\`, \`formatting\` and \`comment\`, also in code, and the attribute \`suggestion\` |
| 4 | 0.1.0 | marks of elements without words: comments on pictures, formulas, people and lines |
| 5 | 0.1.0 | proposals of several people for one node |
`;
}

/** The schema as the server reads it (crdt/content/schema.py). */
function forServer(): string {
  const attributes = ({ spec }: NodeType | MarkType) =>
    Object.fromEntries(
      Object.entries(spec.attrs ?? {})
        .filter(([name]) => !UNSAID.includes(name))
        .map(([name, { default: usual }]) => [name, usual]),
    );
  const nodes = Object.values(schema.nodes).map((type) => ({
    name: type.name,
    content: type.spec.content ?? "",
    groups: type.spec.group?.split(" ") ?? [],
    inline: type.isInline,
    marks: type.spec.marks ?? "_",
    attributes: attributes(type),
  }));
  // Suggestions are no content: the server reads a document with or without them (crdt/content/suggested.py).
  const contents = Object.values(schema.marks).filter(
    ({ name }) => !SUGGESTION_MARKS.some((each) => each === name),
  );
  const marks = contents.map((type) => ({
    name: type.name,
    groups: type.spec.group?.split(" ") ?? [],
    attributes: attributes(type),
  }));
  const most = {
    span: MOST_SPAN,
    pixels: MOST_PIXELS,
    indent: MOST_INDENT,
    formula: LONGEST_FORMULA,
    caption: LONGEST_CAPTION,
  };
  return `${JSON.stringify({ ...FORMAT, fragment: FRAGMENT, settings: SETTINGS, most, nodes, marks }, null, 2)}\n`;
}

it("the server knows the same schema", async () => {
  // Stale? Run `make describe`.
  await expect(forServer()).toMatchFileSnapshot("../../../crdt/content/format.json");
});

it("the reference says what the schema says", async () => {
  // Stale? Run `make describe`. If something was added, raise FORMAT.version and add a line below "Versions" first.
  await expect(described()).toMatchFileSnapshot("../../../docs/format.md");
});

it("every node and mark is explained", () => {
  expect(Object.keys(NODES).toSorted()).toEqual(Object.keys(schema.nodes).toSorted());
  expect(Object.keys(MARKS).toSorted()).toEqual(Object.keys(schema.marks).toSorted());
});

it("the extensions are of nodes, marks and attributes, and none of them writes by itself", () => {
  const names = extensions.map(({ name }) => name);
  expect(names).toContain("starterKit");
  expect(names).not.toContain("undoRedo");
  expect(names).not.toContain("trailingNode");
});
