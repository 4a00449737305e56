/** A document in which suggestions are settled: accepted, rejected, or left as they are.
 *
 * Views, acceptance and withdrawal are this one function with other verdicts. What holds no suggestion stays the very node that it was.
 * The server reads documents by the same rules (crdt/content/suggested.py).
 */

import {
  BREAK,
  formatsIn,
  type NodeSuggestion,
  proposalsOf,
  type Suggested,
  withProposals,
} from "@manyhands/schema";
import { Fragment, type Mark, type Node, type NodeType } from "@tiptap/pm/model";
import { hasSuggestions, suggestionsOn } from "./present";
import { isShaped, shapedRows } from "./shaping";

/** `withdraw` rejects what is one's own, and mends no table by cells that are not. */
export type Verdict = "accept" | "reject" | "withdraw" | "keep";

/** Decides on a suggestion; `run` is there for inserted words. */
export type Judge = (suggestion: Suggested & { readonly run?: number }) => Verdict;

export const acceptAll: Judge = () => "accept";
export const rejectAll: Judge = () => "reject";

export type View = "inline" | "accepted" | "without";

/** The document as a view shows it. */
export function viewOf(doc: Node, view: View): Node {
  if (view === "inline") return doc;
  return settled(doc, view === "accepted" ? acceptAll : rejectAll);
}

export function settled(doc: Node, judge: Judge): Node {
  if (!hasSuggestions(doc)) return doc;
  const content = Fragment.from(childrenOf(doc, judge).map(({ node }) => node));
  return filled(doc, content) ?? doc;
}

/** The nodes that settled ones were: null for one that was none. */
const sources = new WeakMap<Node, Node | null>();

/** Which node of the document before goes on in a settled one: null for none, and undefined for one that is as it was. */
export function sourceOf(node: Node): Node | null | undefined {
  return sources.get(node);
}

/** Notes what goes on in a node that was just made. */
function comesFrom(source: Node | null, made: Node): Node {
  if (source === made) return made;
  const first = source && sources.get(source);
  sources.set(made, first === undefined ? source : first);
  return made;
}

/** Neighbours within their parent, and nothing that the parent would need besides; as they are if they would have to leave it. */
export function settledIn(parent: Node, nodes: readonly Node[], judge: Judge): readonly Node[] {
  const from = Math.max(parent.children.indexOf(nodes[0] as Node), 0);
  const to = from + nodes.length;
  const made = childrenOf(parent, judge, from, to).map(({ node }) => node);
  return nodes.length > 0 && parent.canReplace(from, to, Fragment.from(made)) ? made : nodes;
}

function isRejected(verdict: Verdict): boolean {
  return verdict === "reject" || verdict === "withdraw";
}

/** A node on its way up. */
interface Piece {
  readonly node: Node;
  /** How many nodes around are cut before this one. */
  readonly apart: number;
  /** How many nodes around this one leaves. */
  readonly up: number;
  /** The accepted suggestion that its parent carries out. */
  readonly act: NodeSuggestion | null;
}

const plain = (node: Node): Piece => ({ node, apart: 0, up: 0, act: null });

/** Nodes that go when nothing is left in them. */
const VANISHING = ["bulletList", "orderedList", "taskList", "listItem", "taskItem", "blockquote", "callout"];

function piecesOf(node: Node, judge: Judge, parent: Node, at: number): readonly Piece[] {
  if (!hasSuggestions(node)) return [plain(node)];
  const decided = decidedOn(node, judge);
  if (!decided) return [];
  const { attrs, accepted } = decided;
  if (isShaped(node, judge)) return tableOf(node, judge, decided);
  const parts = node.inlineContent ? linesOf(node, judge) : partsOf(node, judge);
  const isDeleted = accepted.some(({ kind }) => kind === "delete");
  if (isDeleted && parts.every((part) => isGone(node, part))) return [];
  // A block has one place: the last one counts that somebody proposes.
  const move = accepted.findLast(({ kind }) => MOVES.includes(kind)) ?? null;
  const isOvertaken = (each: NodeSuggestion, index: number) =>
    move !== null && index < accepted.indexOf(move) && isOutOfPlace(node, each, move);
  const possible = accepted.filter((each, index) => !isVoid(parent, at, each) && !isOvertaken(each, index));
  const sets = setsIn(possible);
  // The first part that stays where it is goes on as the node.
  let source: Node | null = node;
  return parts.flatMap(({ content, apart, outside }, index): readonly Piece[] => {
    if (outside) return [outside];
    if (!node.isLeaf && !node.inlineContent && content.size === 0 && VANISHING.includes(node.type.name))
      return [];
    const own = index === 0 ? attrs : copied(attrs);
    const [first, ...others] = sets;
    const once = first ? changed(node, first, own, content) : remade(node, own, content);
    const made = others.reduce((done, each) => changed(done, each, done.attrs, done.content), once);
    const act = index === 0 && move?.kind !== "lift" ? move : null;
    const up = move?.kind === "lift" ? Number(move.attrs?.levels ?? 1) : 0;
    const piece = { node: comesFrom(source, made), apart, up, act };
    source = null;
    return [piece];
  });
}

/** Whether a line of a kind cannot be where somebody has proposed since to put it: a heading begins no item of a list. */
function isOutOfPlace(
  { type: { schema } }: Node,
  { kind, type }: NodeSuggestion,
  move: NodeSuggestion,
): boolean {
  const target = schema.nodes[type ?? ""];
  if (kind !== "set" || !target?.inlineContent || move.kind !== "wrap") return false;
  return wrapperOf(target.create(), move) === null;
}

/** A table in whose rows or columns something is decided. */
function tableOf(
  table: Node,
  judge: Judge,
  { attrs, accepted }: NonNullable<ReturnType<typeof decidedOn>>,
): readonly Piece[] {
  const rows = shapedRows(table, {
    judge,
    settle: (cell, own) => remade(cell, own, Fragment.from(childrenOf(cell, judge).map(({ node }) => node))),
    isEmpty: (cell) => isNothing(cell, cell.content),
  });
  const isDeleted = accepted.some(({ kind }) => kind === "delete");
  return rows.size === 0 || (isDeleted && isNothing(table, rows)) ? [] : [plain(remade(table, attrs, rows))];
}

const MOVES: readonly NodeSuggestion["kind"][] = ["join", "wrap", "lift"];

/** What is accepted for a node, and its attributes with what is left; null for a node that does not come. */
function decidedOn(node: Node, judge: Judge) {
  const all = proposalsOf(node.attrs).map((each) => ({ each, verdict: judge(each) }));
  if (all.some(({ each, verdict }) => each.kind === "insert" && isRejected(verdict))) return null;
  const left = all.filter(({ verdict }) => verdict === "keep");
  const attrs =
    left.length < all.length
      ? withProposals(
          node.attrs,
          left.map(({ each }) => each),
        )
      : node.attrs;
  return { attrs, accepted: all.filter(({ verdict }) => verdict === "accept").map(({ each }) => each) };
}

/** What a node is to become: another type first, so that what is proposed for the attributes alone holds for that one too. */
function setsIn(accepted: readonly NodeSuggestion[]): readonly NodeSuggestion[] {
  const sets = accepted.filter(({ kind }) => kind === "set");
  return [...sets.filter(({ type }) => type !== undefined), ...sets.filter(({ type }) => type === undefined)];
}

/** Whether a line cannot become what is suggested where it stands now: a heading begins no item of a list. */
export function isVoid(parent: Node, at: number, { kind, type }: NodeSuggestion): boolean {
  const target = parent.type.schema.nodes[type ?? ""];
  // Items become others together with their list.
  return kind === "set" && target?.inlineContent === true && !parent.canReplaceWith(at, at + 1, target);
}

/** Whether a proposal for a node changes nothing any more; `parent`: what holds the node, null for the document. */
export function isSpent(suggestion: NodeSuggestion, node: Node, parent: Node | null, at: number): boolean {
  const { kind, type = node.type.name, attrs } = suggestion;
  const before = parent?.maybeChild(at - 1) ?? null;
  const wrapper = kind === "wrap" ? wrapperOf(node, suggestion) : null;
  switch (kind) {
    case "set": {
      const isSo = ([name, value]: [string, unknown]) =>
        JSON.stringify(node.attrs[name]) === JSON.stringify(value);
      const isDone = type === node.type.name && Object.entries(attrs ?? {}).every(isSo);
      return isDone || (parent !== null && isVoid(parent, at, suggestion));
    }
    case "join":
      return parent !== null && !(before && joinedNode(before, node));
    case "wrap":
      return isItem(node) ? !(before && wrapper && nestedIn(before, wrapper)) : wrapper === null;
    case "lift":
      return parent === null;
    default:
      return false;
  }
}

/** What a node has become: one part, or several behind one another. */
interface Part {
  readonly content: Fragment;
  readonly apart: number;
  /** A node that has left its parent, in the place of a part. */
  readonly outside?: Piece;
}

/** A container is cut before a piece that stands apart, and around one that leaves it. The items behind an item that leaves come into it. */
function partsOf(node: Node, judge: Judge): readonly Part[] {
  const parts: Part[] = [];
  let children: Node[] = [];
  let apart = 0;
  const end = () => {
    if (children.length > 0 || parts.length === 0) parts.push({ content: Fragment.from(children), apart });
    children = [];
    apart = 0;
  };
  for (const piece of childrenOf(node, judge)) {
    if (piece.up > 0) {
      if (children.length > 0) end();
      parts.push({ content: Fragment.empty, apart: 0, outside: { ...piece, up: piece.up - 1 } });
      continue;
    }
    const left = children.length === 0 && piece.apart === 0 ? parts.at(-1)?.outside : undefined;
    const nested = left && isItem(node) ? nestedIn(left.node, piece.node) : null;
    if (left && nested) {
      parts[parts.length - 1] = { content: Fragment.empty, apart: 0, outside: { ...left, node: nested } };
    } else {
      if (piece.apart > 0) {
        end();
        apart = piece.apart - 1;
      }
      children.push(piece.node);
    }
  }
  end();
  return parts;
}

function childrenOf(node: Node, judge: Judge, from = 0, to = node.childCount): readonly Piece[] {
  const out: Piece[] = [];
  let wrapped: NodeSuggestion | null = null;
  const children = node.children.slice(from, to);
  for (const piece of children.flatMap((child, at) => piecesOf(child, judge, node, from + at))) {
    const last = out.at(-1);
    const { act } = piece;
    const joined = act?.kind === "join" && last ? joinedNode(last.node, piece.node) : null;
    if (last && joined) out[out.length - 1] = { ...last, node: joined };
    else if (act?.kind === "wrap") {
      const wrapper = wrapperOf(piece.node, act);
      const nested = last && wrapper ? nestedIn(last.node, wrapper) : null;
      if (last && nested) {
        out[out.length - 1] = { ...last, node: nested };
        continue;
      }
      const together = wrapped?.id === act.id && last && wrapper ? last.node : null;
      if (together && wrapper) {
        out[out.length - 1] = plain(comesFrom(null, together.copy(together.content.append(wrapper.content))));
      } else out.push(wrapper && !isItem(piece.node) ? plain(wrapper) : { ...piece, act: null });
      wrapped = act;
      continue;
    } else out.push(piece);
    wrapped = null;
  }
  return out;
}

const ITEMS = ["listItem", "taskItem"];

export const isItem = ({ type }: Node) => ITEMS.includes(type.name);

/** An item with a list at its end, which goes on in one that is there; null for other blocks. */
export function nestedIn(item: Node, list: Node): Node | null {
  if (item.type !== list.firstChild?.type || !isItem(item)) return null;
  const last = item.lastChild;
  const goesOn =
    last?.type === list.type ? comesFrom(last, last.copy(last.content.append(list.content))) : null;
  const content = goesOn
    ? item.content.replaceChild(item.childCount - 1, goesOn)
    : item.content.addToEnd(list);
  return comesFrom(item, item.copy(content));
}

/** A block within the node that was proposed to be around it, with an item between them where that is a list. */
function wrapperOf(node: Node, { type, attrs }: NodeSuggestion): Node | null {
  const wrapper = node.type.schema.nodes[type ?? ""];
  const between = wrapper?.contentMatch.findWrapping(node.type);
  if (!wrapper || !between) return null;
  const inner = [...between].reverse().reduce((held, each) => comesFrom(null, each.create(null, held)), node);
  return comesFrom(null, wrapper.schema.node(wrapper, { ...attrs }, inner));
}

/** Two neighbours as one; items of lists are joined together with the lines at their seam. */
export function joinedNode(before: Node, after: Node): Node | null {
  if (before.inlineContent && after.inlineContent) {
    return comesFrom(before, remade(before, before.attrs, before.content.append(after.content)));
  }
  const [last, first] = [before.lastChild, after.firstChild];
  if (before.type !== after.type || before.inlineContent || !last || !first) return null;
  const seam = last.inlineContent && first.inlineContent ? joinedNode(last, first) : null;
  const children = seam
    ? [...before.children.slice(0, -1), seam, ...after.children.slice(1)]
    : [...before.children, ...after.children];
  return comesFrom(before, before.copy(Fragment.from(children)));
}

function changed(node: Node, { type, attrs }: NodeSuggestion, own: Node["attrs"], content: Fragment): Node {
  const target = type === undefined ? node.type : (node.type.schema.nodes[type] ?? node.type);
  const { suggestion, proposals } = own;
  // The schema leaves out what the target does not know.
  const wanted = { ...own, ...attrs, suggestion, proposals };
  const words = target.inlineContent ? allowedIn(target.create(wanted), content) : itemsOf(target, content);
  // The schema keeps attributes within bounds, whoever has suggested them.
  return target.validContent(words) ? target.schema.node(target, wanted, words) : remade(node, own, content);
}

/** Items become others together with their list, also those that somebody has added since. */
function itemsOf({ contentMatch: { defaultType } }: NodeType, content: Fragment): Fragment {
  const type = defaultType && ITEMS.includes(defaultType.name) ? defaultType : null;
  if (!type || content.content.every((item) => item.type === type || !isItem(item))) return content;
  return Fragment.from(
    content.content.map((item) => (isItem(item) ? type.create(item.attrs, item.content) : item)),
  );
}

function remade(node: Node, attrs: Node["attrs"], content: Fragment): Node {
  if (attrs === node.attrs && content.eq(node.content)) return node;
  const held = node.inlineContent ? allowedIn(node, content) : content;
  return filled(node, held, attrs) ?? node;
}

function filled(node: Node, content: Fragment, attrs = node.attrs): Node | null {
  return node.type.createAndFill(attrs, content, node.marks);
}

function allowedIn({ type }: Node, content: Fragment): Fragment {
  if (content.content.every(({ marks }) => type.allowsMarks(marks))) return content;
  return Fragment.from(content.content.map((child) => child.mark(type.allowedMarks(child.marks))));
}

/** The attributes of the second part of a node that is cut in two. */
export function copied(attrs: Node["attrs"]): Node["attrs"] {
  const fresh = { look: null, anchor: null, checked: false, suggestion: null, proposals: null };
  const own = Object.entries(fresh).filter(([name]) => name in attrs);
  return { ...attrs, ...Object.fromEntries(own) };
}

function isGone(node: Node, { content, outside }: Part): boolean {
  return outside ? isNothing(outside.node, outside.node.content) : isNothing(node, content);
}

/** Whether nothing is left in a node that is to go. */
function isNothing(node: Node, content: Fragment): boolean {
  if (node.isLeaf) return true;
  let isEmpty = true;
  content.descendants((inner) => {
    isEmpty &&= !inner.isLeaf;
    return isEmpty;
  });
  return isEmpty;
}

/** The lines that a line becomes. */
function linesOf(node: Node, judge: Judge): readonly Part[] {
  const parts: { nodes: Node[]; apart: number }[] = [{ nodes: [], apart: 0 }];
  node.forEach((child) => {
    const settledChildren = child.isText ? textOf(child, judge) : [leafOf(child, judge)];
    for (const settledChild of settledChildren) {
      if (settledChild && isEnd(settledChild)) parts.push({ nodes: [], apart: settledChild.cut - 1 });
      else if (settledChild) parts.at(-1)?.nodes.push(settledChild);
    }
  });
  return parts.map(({ nodes, apart }) => ({ content: Fragment.from(nodes), apart }));
}

/** An accepted end of a line. */
interface End {
  readonly cut: number;
}

function isEnd(found: Node | End): found is End {
  return "cut" in found && typeof found.cut === "number";
}

/** A piece of text without what is settled; nothing where it goes. */
function textOf(node: Node, judge: Judge): readonly (Node | End)[] {
  let marks = node.marks;
  let cut = 0;
  for (const mark of suggestionsOn(node)) {
    const verdict = judge(mark.attrs as Suggested);
    if (verdict === "keep") continue;
    const goes = mark.type.name === "deletion" ? verdict === "accept" : isRejected(verdict);
    if (goes && mark.type.name !== "formatting") return [];
    marks = mark.removeFromSet(marks);
    if (verdict === "accept" && mark.type.name === "formatting") marks = formatted(marks, mark);
    if (mark.type.name === "insertion" && mark.attrs.break !== null) cut = Number(mark.attrs.break) || 1;
  }
  if (cut === 0) return [marks === node.marks ? node : node.mark(marks)];
  // What somebody types between two ends has their mark, and is words.
  const pieces = (node.text ?? "").split(new RegExp(`(${BREAK})`)).filter((piece) => piece !== "");
  return pieces.map((piece) => (piece === BREAK ? { cut } : node.type.schema.text(piece, marks)));
}

/** Marks with what a suggestion adds to them, and without what it takes away. */
export function formatted(marks: readonly Mark[], { attrs, type: { schema } }: Mark): readonly Mark[] {
  const { add, remove } = formatsIn(attrs);
  let now = marks.filter((mark) => !remove.includes(mark.type.name));
  for (const { type, attrs: given } of add) {
    now = [...(schema.marks[type]?.create(given ?? null).addToSet(now) ?? now)];
  }
  return now;
}

/** What stands among words and is no text. */
function leafOf(node: Node, judge: Judge): Node | null {
  if (!hasSuggestions(node)) return node;
  const decided = decidedOn(node, judge);
  if (!decided || decided.accepted.some(({ kind }) => kind === "delete")) return null;
  if (decided.attrs === node.attrs) return node;
  const given = Object.assign({}, ...setsIn(decided.accepted).map(({ attrs }) => attrs ?? {}));
  const { suggestion, proposals } = decided.attrs;
  const attrs = { ...decided.attrs, ...given, suggestion, proposals };
  return node.type.schema.node(node.type, attrs, node.content, node.marks);
}
