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
