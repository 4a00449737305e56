/** Random people who suggest and edit, each with an editor and a Yjs document of their own. */

import { yUndoPluginKey } from "@manyhands/binding";
import { FRAGMENT, proposalsOf } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import { type EditorState, NodeSelection, TextSelection } from "@tiptap/pm/state";
import * as Y from "yjs";
import { proposalKeyOf } from "../../../binding/src/marks";
import type { Suggester } from "../../src/extensions/suggesting";
import { gapsOf } from "../../src/features/suggesting/aligning";
import type { Author, Refusal } from "../../src/features/suggesting/author";
import { isSuggestionOf, suggestionsOn } from "../../src/features/suggesting/present";
import { type Judge, settled } from "../../src/features/suggesting/settle";
import { meaningOf, translate } from "../../src/features/suggesting/translate";
import { type Person, person, seesAll } from "../page/editors";
import { type Random, randomOf } from "../rescue/random";

export const PICTURE = `/api/documents/abcdefgh/attachments/${"0".repeat(64)}`;

/** A document with a block of each kind. */
export const START = `<h1>Plan of the house</h1><p>Hello <strong>brave</strong> new world</p><p></p><p>A <code>line</code> of <em>words</em>, and <a href="https://a.example">a link</a></p><ul><li><p>milk</p></li><li><p>bread</p><ul><li><p>rye</p></li></ul></li><li><p>tea</p></li></ul><blockquote><p>said once</p><p>said twice</p></blockquote><table><tr><td><p>cell a</p></td><td><p>cell b</p></td></tr><tr><td><p>c</p></td><td><p></p></td></tr></table><ol><li><p>first</p></li><li><p>second</p></li></ol><ul data-type="taskList"><li data-type="taskItem"><p>to do</p></li></ul><p>so <span data-type="inline-math" data-latex="a^2"></span> it is<br>and ends</p><img src="${PICTURE}" alt="A hill"><p>last words</p>`;

export interface Suggesting extends Person {
  readonly user: string;
  readonly refused: Refusal[];
  /** How many acts became suggestions. */
  readonly made: { count: number };
  /** What accepting everything would give, where that is not what was meant. */
  readonly wrong: string[];
}

const suggesters = new WeakMap<Y.Doc, Suggester>();

export function suggesterOf({ doc }: Person): Suggester | null {
  return suggesters.get(doc) ?? null;
}

/** A person who may suggest from some time on. */
export function able(clientId: number, doc = new Y.Doc()): Person {
  return person(clientId, doc, () => suggesters.get(doc) ?? null);
}

/** Lets a person suggest, by a clock and by random numbers that are the same in each run. */
export function suggestsAs(
  who: Person,
  user: string,
  random: Random,
  clock: { now: number },
  isBound = false,
): Suggesting {
  const refused: Refusal[] = [];
  const wrong: Suggesting["wrong"] = [];
  const made = { count: 0 };
  const check = (before: EditorState, after: EditorState, author: Author) => {
    const result = translate(before, after, author);
    if (typeof result === "string") return result;
    made.count += 1;
    // Words that somebody writes into deleted ones stay.
    const { $head } = before.selection;
    const isWithin = suggestionsOn($head.nodeBefore ?? before.doc).some(
      (mark) => mark.type.name === "deletion" && mark.isInSet($head.nodeAfter?.marks ?? []),
    );
    if (isWithin) return result;
    // Formats that one has suggested oneself are taken back when one asks for them again.
    let isAgain = false;
    before.doc.nodesBetween(before.selection.from, before.selection.to, (node) => {
      isAgain ||= suggestionsOn(node).some(({ type }) => type.name === "formatting");
    });
    if (isAgain) return result;
    // Pending words that their author makes anew are not struck any more by others.
    let isStruck = false;
    before.doc.descendants((node) => {
      const marks = suggestionsOn(node);
      isStruck ||=
        marks.some((mark) => isSuggestionOf(mark, "insertion", author.user)) &&
        marks.some(({ type, attrs }) => type.name === "deletion" && attrs.user !== author.user);
    });
    if (isStruck) return result;
    // A line that is cut or copied keeps what was suggested for the whole of it in its first half only.
    if (suggestedFor(after.doc) > suggestedFor(before.doc)) return result;
    const now = meaningOf(before.doc, after.doc, author);
    const own: Judge = (each) =>
      "kind" in each && each.kind !== "insert" && each.user !== author.user ? "reject" : "accept";
    const [meant, suggested] = [now, result.doc].map((doc) => plainLeaves(settled(doc, own)));
    if (meant && suggested && !suggested.eq(meant)) wrong.push(differing(meant, suggested));
    return result;
  };
  const suggester: Suggester = {
    user,
    isBound,
    translate: check,
    refuse: (reason) => void (reason === "loading" || refused.push(reason)),
    now: () => clock.now,
    random: (below) => random(Math.min(below, 1_000_000)),
  };
  suggesters.set(who.doc, suggester);
  return { ...who, user, refused, wrong, made };
}

export interface Act {
  readonly name: string;
  readonly run: (who: Person, random: Random) => void;
}

const WORDS = ["a", "ll", "x y", "word ", "Ünder ", "🙂", " "];

/** A random place among words. */
function place({ editor }: Person, random: Random): number {
  const places: number[] = [];
  editor.state.doc.descendants((node, at) => {
    if (node.isTextblock)
      for (let offset = 0; offset <= node.content.size; offset += 1) places.push(at + 1 + offset);
    return !node.isTextblock;
  });
  return places[random(places.length)] ?? 1;
}

/** Places the cursor, selects a few words, or selects across blocks. */
function select(who: Person, random: Random): void {
  const { state, view } = who.editor;
  const [one, other] = [place(who, random), place(who, random)];
  const near = Math.min(one + random(6), state.doc.content.size);
  const head = [one, near, random(4) === 0 ? other : near][random(3)] ?? one;
  view.dispatch(
    state.tr.setSelection(TextSelection.between(state.doc.resolve(one), state.doc.resolve(head))),
  );
}

function collapse(who: Person, random: Random): void {
  const { state, view } = who.editor;
  view.dispatch(state.tr.setSelection(TextSelection.near(state.doc.resolve(place(who, random)))));
}

function press(who: Person, key: string, more: Partial<KeyboardEvent> = {}): void {
  const { view } = who.editor;
  const event = new KeyboardEvent("keydown", { key, ...more });
  view.someProp("handleKeyDown", (handle) => handle(view, event));
}

function type({ editor: { view } }: Person, text: string): void {
  const { from, to } = view.state.selection;
  const isTaken = view.someProp("handleTextInput", (handle) =>
    handle(view, from, to, text, () => view.state.tr.insertText(text)),
  );
  if (!isTaken) view.dispatch(view.state.tr.insertText(text, from, to));
}

const act = (name: string, run: Act["run"]): Act => ({ name, run });

export const TYPING: readonly Act[] = [
  act("types", (who, random) => {
    collapse(who, random);
    for (let times = 1 + random(4); times > 0; times -= 1) type(who, WORDS[random(WORDS.length)] ?? "a");
  }),
  act("types over", (who, random) => {
    select(who, random);
    type(who, WORDS[random(WORDS.length)] ?? "a");
  }),
  act("types on", (who, random) => type(who, WORDS[random(WORDS.length)] ?? "a")),
  act("backspace", (who, random) => {
    collapse(who, random);
    for (let times = 1 + random(4); times > 0; times -= 1) press(who, "Backspace");
  }),
  act("backspace again", (who) => press(who, "Backspace")),
  act("delete", (who, random) => {
    collapse(who, random);
    for (let times = 1 + random(4); times > 0; times -= 1) press(who, "Delete");
  }),
  act("deletes a selection", (who, random) => {
    select(who, random);
    who.editor.commands.deleteSelection();
  }),
];

export const FORMATS: readonly Act[] = [
  ...(["toggleBold", "toggleItalic", "toggleStrike"] as const).map((name) =>
    act(name, (who, random) => {
      select(who, random);
      who.editor.commands[name]();
    }),
  ),
  act("colour", (who, random) => {
    select(who, random);
    who.editor.commands.setColor("#00695c");
  }),
];

export const BLOCKS: readonly Act[] = [
  act("enter", (who, random) => {
    collapse(who, random);
    press(who, "Enter");
    if (random(2)) type(who, "new ");
  }),
  act("enter again", (who) => press(who, "Enter")),
  act("a new line at an end", (who, random) => {
    collapse(who, random);
    const { $head } = who.editor.state.selection;
    who.editor.commands.setTextSelection($head.end());
    press(who, "Enter");
    type(who, "line ");
  }),
  act("break", (who, random) => {
    collapse(who, random);
    who.editor.commands.setHardBreak();
  }),
  act("heading", (who, random) => {
    select(who, random);
    who.editor.commands.setHeading({ level: random(2) ? 2 : 3 });
  }),
  act("align", (who, random) => {
    select(who, random);
    who.editor.commands.setTextAlign("center");
  }),
  act("list", (who, random) => {
    select(who, random);
    who.editor.commands.toggleBulletList();
  }),
  act("quote", (who, random) => {
    select(who, random);
    who.editor.commands.toggleBlockquote();
  }),
  act("indent", (who, random) => {
    collapse(who, random);
    press(who, "Tab");
  }),
  act("outdent", (who, random) => {
    collapse(who, random);
    press(who, "Tab", { shiftKey: true });
  }),
  act("ticks", (who, random) => {
    collapse(who, random);
    who.editor.commands.updateAttributes("taskItem", { checked: true });
  }),
  act("paste", (who, random) => {
    select(who, random);
    const html = [
      "<p>one</p><p>two</p>",
      "<b>bold</b> words",
      "<h2>Head</h2><p>body</p>",
      "<ul><li>u</li><li>v</li></ul>",
    ];
    who.editor.view.pasteHTML(html[random(html.length)] ?? "");
  }),
  act("picture", (who, random) => {
    collapse(who, random);
    who.editor.commands.setImage({ src: PICTURE });
  }),
  act("deletes a block", (who, random) => {
    const { state, view } = who.editor;
    const blocks: number[] = [];
    state.doc.forEach((_node, at) => void blocks.push(at));
    const at = blocks[random(blocks.length)] ?? 0;
    view.dispatch(state.tr.setSelection(NodeSelection.create(state.doc, at)).deleteSelection());
  }),
  act("moves a block", (who, random) => {
    collapse(who, random);
    who.editor.commands.moveBlocks(random(2) ? "up" : "down");
  }),
];

/** Commands for the blocks that are selected: each may overtake what was proposed by the one before. */
export const KINDS: readonly Act[] = [
  act(
    "heading here",
    ({ editor }, random) => void editor.commands.toggleHeading({ level: random(2) ? 2 : 3 }),
  ),
  act("paragraph here", ({ editor }) => void editor.commands.setParagraph()),
  act("code here", ({ editor }) => void editor.commands.toggleCodeBlock()),
  act("align here", ({ editor }, random) => {
    editor.commands.setTextAlign(["left", "center", "right"][random(3)] ?? "left");
  }),
  act("bullets here", ({ editor }) => void editor.commands.toggleBulletList()),
  act("numbers here", ({ editor }) => void editor.commands.toggleOrderedList()),
  act("tasks here", ({ editor }) => void editor.commands.toggleTaskList()),
  act("quote here", ({ editor }) => void editor.commands.toggleBlockquote()),
  act("clears here", ({ editor }) => void editor.commands.clearNodes()),
  act("lifts here", ({ editor }) => void editor.commands.liftEmptyBlock()),
  act("indents here", (who) => press(who, "Tab")),
  act("outdents here", (who) => press(who, "Tab", { shiftKey: true })),
  act("backspace at the beginning", (who) => {
    who.editor.commands.setTextSelection(who.editor.state.selection.$from.start());
    press(who, "Backspace");
  }),
  act("delete at the end", (who) => {
    who.editor.commands.setTextSelection(who.editor.state.selection.$from.end());
    press(who, "Delete");
  }),
  act("enter here", (who) => press(who, "Enter")),
  act("types here", (who, random) => type(who, WORDS[random(WORDS.length)] ?? "a")),
  act("undoes", ({ editor }) => void editor.commands.undo()),
  act("moves here", ({ editor }, random) => void editor.commands.moveBlocks(random(2) ? "up" : "down")),
];

/** Selects words or blocks, to which the commands that follow belong. */
export const SELECTS = act("selects", select);

/** Selects in one of a few blocks, where others do so too. */
export const SELECTS_NEAR = act("selects near", ({ editor: { state, view } }, random) => {
  const lines: number[] = [];
  state.doc.descendants((node, at) => {
    if (node.isTextblock) lines.push(at + 1);
  });
  const at = lines[1 + random(Math.min(6, lines.length - 1))] ?? 1;
  view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, at)));
});

const SHAPES = [
  "addRowBefore",
  "addRowAfter",
  "deleteRow",
  "addColumnBefore",
  "addColumnAfter",
  "deleteColumn",
] as const;

/** Acts on the rows and columns of a table. */
export const TABLES: readonly Act[] = SHAPES.map((name) =>
  act(name, (who, random) => {
    const cells: number[] = [];
    who.editor.state.doc.descendants((node, at) => {
      if (/cell$/.test(String(node.type.spec.tableRole))) cells.push(at + 2);
    });
    if (cells.length === 0) return;
    who.editor.commands.setTextSelection(cells[random(cells.length)] ?? 1);
    who.editor.commands[name]();
    if (random(3) === 0) type(who, WORDS[random(WORDS.length)] ?? "a");
  }),
);

export const ACTS: readonly Act[] = [...TYPING, ...TYPING, ...FORMATS, ...BLOCKS];

/** A document that is a table, for the most part. */
export const TABLE =
  "<p>before the table</p><table><tr><th><p>Name</p></th><th><p>Sum</p></th><th><p></p></th></tr><tr><td><p>one</p></td><td><p></p></td><td><p>1 <strong>2</strong></p></td></tr><tr><td><p></p></td><td><p>x</p></td><td><p>y</p><p>z</p></td></tr></table><p>behind it</p>";

export function started(html = START): Person {
  const first = able(1);
  first.editor.commands.setContent(html);
  // What was there is no step of anybody.
  yUndoPluginKey.getState(first.editor.state)?.undoManager.clear();
  return first;
}

/** Another person who has what the first one has. */
export function joins(first: Person, clientId: number): Person {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(first.doc));
  const other = able(clientId, doc);
  seesAll(other);
  return other;
}

export { type Random, randomOf, seesAll };

const MARKS = ["insertion", "deletion", "formatting", "comment"];

/** The shared document without what `user` has pending, as the server judges it. */
export function judged(doc: Y.Doc, user: string): string {
  const nameOf = (key: string) => /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key;
  const kindOf = (value: unknown) => (value as { kind?: unknown } | null)?.kind;
  const isMine = (value: unknown) => (value as { user?: string } | null)?.user === user;
  const textOf = (text: Y.XmlText) =>
    (text.toDelta() as { insert: string; attributes?: object }[]).flatMap(({ insert, attributes = {} }) => {
      const own = Object.entries(attributes).filter(
        ([key, value]) => MARKS.includes(nameOf(key)) && isMine(value),
      );
      if (own.some(([key]) => nameOf(key) === "insertion")) return [];
      const rest = Object.entries(attributes).filter(([key]) => !own.some(([known]) => known === key));
      return [...insert].map((letter) => `${letter}${rest.length ? JSON.stringify(rest.sort()) : ""}`);
    });
  const childrenOf = (parent: Y.XmlFragment | Y.XmlElement): string[] =>
    parent.toArray().flatMap((child) => {
      if (child instanceof Y.XmlText) return textOf(child);
      if (!(child instanceof Y.XmlElement)) return [];
      const attributes: Record<string, unknown> = child.getAttributes();
      const { suggestion } = attributes;
      if (isMine(suggestion) && kindOf(suggestion) === "insert") return [];
      // One's own proposal stands under one's own key, and in documents of version 4 in `suggestion`.
      const isOwn = (name: string) =>
        ["suggestion", proposalKeyOf(user)].includes(name) &&
        isMine(attributes[name]) &&
        kindOf(attributes[name]) !== "insert";
      const kept = Object.fromEntries(Object.entries(attributes).filter(([name]) => !isOwn(name)));
      return [
        `<${child.nodeName} ${JSON.stringify(Object.entries(kept).sort())}>`,
        ...childrenOf(child),
        "</>",
      ];
    });
  return childrenOf(doc.getXmlFragment(FRAGMENT)).join("");
}

/** For each table, how wide its rows are. */
export function widthsOf(doc: Node): readonly ReadonlySet<number>[] {
  return doc.children
    .filter(({ type }) => type.name === "table")
    .map(({ children }) => new Set(children.map(({ childCount }) => childCount)));
}

/** How many nodes have a suggestion of their own. */
function suggestedFor(doc: Node): number {
  let count = 0;
  doc.descendants((node) => {
    count += proposalsOf(node.attrs).length;
  });
  return count;
}

/** Nodes that are no text keep no marks in a shared document. */
function plainLeaves(node: Node): Node {
  if (node.isText) return node;
  const content = Fragment.from(node.children.map(plainLeaves));
  return node.type.create(node.attrs, content);
}

/** What is different in two documents. */
export function differing(one: Node, other: Node): string {
  return gapsOf(one, 0, other, 0)
    .map(({ olds, news }) => `${olds.join(" ")}\n  and  ${news.join(" ")}`)
    .join("\n");
}
