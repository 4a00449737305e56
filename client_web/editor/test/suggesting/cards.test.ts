/** What the card of a suggestion says: the words of different places never run into one another. */

import { expect, test } from "vitest";
import { hasSameWords, suggestionsIn } from "../../src/features/suggesting/list";
import { linesOf } from "../../src/features/suggesting/words";
import { person } from "../page/editors";

const by = { id: "s1", user: "ben", at: 0 };
const insertion = { type: "insertion", attrs: { ...by, run: 1, break: null } };
const deletion = { type: "deletion", attrs: by };
const text = (words: string, ...marks: object[]) => ({ type: "text", text: words, marks });
const line = (...content: object[]) => ({ type: "paragraph", content });
const cell = (words: string) => ({ type: "tableCell", content: [line(text(words, insertion))] });
const table = (...words: string[]) => ({
  type: "table",
  attrs: { suggestion: { ...by, kind: "insert" } },
  content: [{ type: "tableRow", content: words.map(cell) }],
});

function said(...content: object[]): readonly string[] {
  const doc = person(1).editor.schema.nodeFromJSON({ type: "doc", content });
  return suggestionsIn(doc).flatMap((each) => linesOf(each).map(({ act, words }) => `${act} ${words}`));
}

test.each<readonly [string, readonly object[], readonly string[]]>([
  [
    "words in one piece, whatever their formats are",
    [line(text("a", insertion), text("b", insertion, { type: "bold" }), text("c", insertion))],
    ["Add: “abc”"],
  ],
  [
    "words with others between them",
    [line(text("one", deletion), text(" and "), text("two", deletion))],
    ["Delete: “one … two”"],
  ],
  ["words of two lines", [line(text("one", deletion)), line(text("two", deletion))], ["Delete: “one ¶ two”"]],
  ["cells of a table", [table("Name", "Sum")], ["Add: Table", "Add: “Name ¶ Sum”"]],
])("%s", (_name, content, expected) => {
  expect(said(...content)).toEqual(expected);
});

test.each([1e300, Number.NaN, "yesterday", null, {}])("a time that is none is shown as one: %s", (at) => {
  const odd = { type: "insertion", attrs: { ...by, at, run: 1, break: null } };
  const block = { ...line(text("two")), attrs: { suggestion: { ...by, id: "s2", at, kind: "insert" } } };
  const doc = person(1).editor.schema.nodeFromJSON({ type: "doc", content: [line(text("one", odd)), block] });
  const times = suggestionsIn(doc).map((each) => new Date(each.at).toISOString());
  expect(times).toEqual(["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"]);
});

test("a card is drawn anew for other words of its suggestion, and not for words beside them", () => {
  const { schema } = person(1).editor;
  const suggestionIn = (...content: object[]) => {
    const [found] = suggestionsIn(schema.nodeFromJSON({ type: "doc", content: [line(...content)] }));
    return found as NonNullable<typeof found>;
  };
  const before = suggestionIn(text("one", deletion), text(" and "), text("two", insertion));
  const isSame = (...content: object[]) => hasSameWords(before, suggestionIn(...content));
  expect(isSame(text("Beside "), text("one", deletion), text(" and so "), text("two", insertion))).toBe(true);
  expect(isSame(text("one", deletion), text(" and "), text("too", insertion))).toBe(false);
  expect(isSame(text("one", deletion), text(" and "))).toBe(false);
  const later = { type: "insertion", attrs: { ...by, run: 2, break: null } };
  expect(isSame(text("one", deletion), text(" and "), text("two", later))).toBe(false);
});

test.each<readonly [string, object, object, boolean]>([
  ["the kind that the line is by now", { kind: "set", type: "paragraph", attrs: {} }, {}, true],
  ["another kind", { kind: "set", type: "heading", attrs: { level: 2 } }, {}, false],
  [
    "an alignment that the line has by now",
    { kind: "set", attrs: { textAlign: "center" } },
    { textAlign: "center" },
    true,
  ],
  ["an alignment", { kind: "set", attrs: { textAlign: "center" } }, {}, false],
  ["that a line of no list leaves the list", { kind: "lift", attrs: { levels: 2 } }, {}, true],
  ["a list", { kind: "wrap", type: "bulletList" }, {}, false],
])("a card says whether a proposal changes anything still: %s", (_what, proposal, attrs, isSpent) => {
  const proposals = [{ ...by, ...proposal }];
  const told = said({ ...line(text("words")), attrs: { ...attrs, proposals } });
  expect(told).toHaveLength(1);
  expect(told[0]?.endsWith("(changes nothing any more)")).toBe(isSpent);
});

test("a card says that a line which begins an item by now becomes no heading", () => {
  const proposals = [{ ...by, kind: "set", type: "heading", attrs: { level: 2 } }];
  const proposed = { ...line(text("words")), attrs: { proposals } };
  const item = {
    type: "listItem",
    content: [proposed, { ...proposed, attrs: { proposals: [{ ...proposals[0], id: "s2" }] } }],
  };
  expect(said({ type: "bulletList", content: [item] })).toEqual([
    "Change to: Heading 2 (changes nothing any more)",
    "Change to: Heading 2",
  ]);
});
