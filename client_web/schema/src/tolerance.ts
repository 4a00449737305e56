/** Shared content that does not fit the schema, read without losing what does.
 *
 * The binding builds each element with `schema.node(name, attributes, children)`, and does not show
 * an element for which that throws. Honest merges make such elements: one person deletes the first
 * paragraph of a list item while another nests a list in the item, and what is left is not valid. So
 * an editor's schema gets a `node` that mends:
 *
 * 1. attributes that could harm the page (a table cell of a billion columns) are brought within bounds;
 * 2. children that a rule asks for and that are missing are added, empty;
 * 3. marks that the place does not allow are left out.
 *
 * What cannot be mended so, `foreign.ts` finds before the binding does.
 */

import { Fragment, type Node, type NodeType, type Schema } from "@tiptap/pm/model";

export const MOST_SPAN = 64;
export const MOST_PIXELS = 20_000;

type Attributes = Readonly<Record<string, unknown>>;

/** Replaces `schema.node` of this one schema. */
export function readTolerantly(schema: Schema): void {
  schema.node = (type, attributes, content, marks) => {
    const nodeType = typeof type === "string" ? schema.nodes[type] : type;
    if (!nodeType) throw new RangeError(`Unknown node type: ${String(type)}`);
    // Nodes without attributes of their own share one object, by which their looks are known.
    const hasOwn = Object.keys(attributes ?? {}).length > 0;
    const bounded = hasOwn ? withinBounds(attributes ?? {}) : null;
    const children = allowedIn(nodeType, Fragment.from(content ?? null));
    const node = nodeType.createAndFill(bounded, children, [...(marks ?? [])]);
    if (!node) throw new RangeError(`The content of ${nodeType.name} cannot be made valid`);
    return node;
  };
}

/** Whether children of these types, in this order, can stand in `type`, perhaps with empty ones added. */
export function canHold(type: NodeType, children: readonly Node[]): boolean {
  const before = type.contentMatch.fillBefore(Fragment.from([...children]));
  const match = before && type.contentMatch.matchFragment(before.append(Fragment.from([...children])));
  return Boolean(match?.fillBefore(Fragment.empty, true));
}

function allowedIn(type: NodeType, content: Fragment): Fragment {
  const children: Node[] = [];
  content.forEach((child) => {
    children.push(type.allowsMarks(child.marks) ? child : child.mark(type.allowedMarks(child.marks)));
  });
  return Fragment.from(children);
}

function withinBounds(attributes: Attributes): Attributes {
  const bounded: Record<string, unknown> = { ...attributes };
  for (const name of ["colspan", "rowspan"]) {
    if (name in bounded) bounded[name] = wholeNumber(bounded[name], 1, MOST_SPAN) ?? 1;
  }
  if ("level" in bounded) bounded.level = wholeNumber(bounded.level, 1, 6) ?? 1;
  if ("start" in bounded) bounded.start = wholeNumber(bounded.start, 0, 1_000_000_000) ?? 1;
  for (const name of ["width", "height"]) {
    if (name in bounded) bounded[name] = wholeNumber(bounded[name], 1, MOST_PIXELS);
  }
  if ("colwidth" in bounded) bounded.colwidth = columnWidths(bounded.colwidth, Number(bounded.colspan ?? 1));
  return bounded;
}

/** Returns `value` as a whole number between `least` and `most`, else null; text as other editors store it counts. */
export function wholeNumber(value: unknown, least: number, most: number): number | null {
  const number = typeof value === "string" ? Number.parseInt(value, 10) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return null;
  return Math.min(Math.max(Math.round(number), least), most);
}

function columnWidths(value: unknown, columns: number): number[] | null {
  if (!Array.isArray(value) || value.length !== columns) return null;
  return value.map((width) => (width === 0 ? 0 : (wholeNumber(width, 1, MOST_PIXELS) ?? 0)));
}
