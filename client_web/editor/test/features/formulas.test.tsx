/** Formulas: drawn, written, kept beside what a colleague types, and taken along. */

import { FRAGMENT } from "@manyhands/schema";
import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { NodeSelection } from "@tiptap/pm/state";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { plainText } from "../../src/extensions/copying";
import { typeset } from "../../src/features/formulas/typeset";
import { copyOf } from "../../src/page/copies";
import { contentOf, element, type Person, person, sync, words, written } from "../page/editors";
import { openDocument } from "../page/openDocument";

const INLINE = '<span data-type="inline-math" data-latex="x^2">$x^2$</span>';
const BLOCK = '<div data-type="block-math" data-latex="\\frac{1}{2}">$$\\frac{1}{2}$$</div>';

let alice: Person;

beforeEach(() => {
  alice = person(1);
  alice.editor.commands.setContent(`<p>a ${INLINE} b</p>${BLOCK}<p>c</p>`);
});

afterEach(() => alice.editor.destroy());

const drawn = ({ editor }: Person) => [...editor.view.dom.querySelectorAll<HTMLElement>(".page-formula")];

test("are read and written as stock Tiptap does, and copied as LaTeX", () => {
  expect(alice.editor.getHTML()).toBe(`<p>a ${INLINE} b</p>${BLOCK}<p>c</p>`);
  const { doc } = alice.editor.state;
  expect(plainText(doc.slice(0, doc.content.size))).toBe("a $x^2$ b\n$$\\frac{1}{2}$$\nc");
});

test("are drawn with MathML for screen readers", async () => {
  await waitFor(() => expect(drawn(alice).every((formula) => formula.querySelector("math"))).toBe(true));
  expect(drawn(alice)[0]?.querySelector("msup")?.textContent).toBe("x2");
});

test("that cannot be read show their LaTeX, and what is wrong", async () => {
  alice.editor.commands.setContent('<div data-type="block-math" data-latex="\\frac{1}{"></div>');
  await waitFor(() => expect(drawn(alice)[0]?.title).toMatch(/^This LaTeX cannot be read/));
  expect(drawn(alice)[0]?.textContent).toBe("\\frac{1}{");
});

test.each([
  ["x^", /character/],
  ["\\nothing", /“\\nothing” is no command that is known here\.$/],
  ["\\href{javascript:alert(1)}{x}", null],
  ["\\def\\a{\\a\\a}\\a", /Its macros expand without an end\.$/],
])("of %s it is said what is wrong, and nothing acts", (latex, said) => {
  const made = typeset(latex, false, "mathml");
  if (said) expect("problem" in made && made.problem).toMatch(said);
  else expect(JSON.stringify(made)).not.toContain("href=");
});

test.each([
  ["x^", "Something is missing after “^”."],
  ["\\frac", "The end of the formula comes too early."],
  ["x^\\left(y\\right)", "“\\left” needs braces around it here."],
  ["{x", "“}” is missing at the end."],
  ["\\left( x", "“\\right” is missing at the end."],
  ["\\left( x }", "“\\right” is missing before “}”."],
  ["\\left x y", "“x” is no bracket."],
  ["x}", "There is a closing brace too many."],
  ["1 & 2", "“&” does not belong here."],
  ["$x$", "A formula is written without dollar signs here."],
  ["x\\over y\\over z", "Two operators between the same terms need braces."],
  ["x^1^2", "There are two superscripts in one place."],
  ["x_1_2", "There are two subscripts in one place."],
  ["\\begin{nowhere}", "There is no environment “nowhere”."],
  ["\\begin{matrix}1\\end{pmatrix}", "“\\end{pmatrix}” does not end “\\begin{matrix}”."],
  ["\\begin{matrix}1", "The rows of a table end in “\\\\”."],
  ["\\textcolor{#12}{x}", "“#12” is no colour."],
  ["\\rule{1fathom}{1em}", "“fa” is no length."],
  ["\\text{\\frac12}", "“\\frac” does not go into text."],
  ["\\begin{align}1\\end{align}", "“{align}” needs a formula on a line of its own."],
  ["x\\limits_1", "Limits follow a sum or another operator."],
])("of %s it is said in people's words", (latex, reason) => {
  const made = typeset(latex, false, "mathml");
  expect("problem" in made && made.problem.replace(/^.*?read( at character \d+)?\. /, "")).toBe(reason);
});

test("a colleague who types in the line takes nothing from them", () => {
  const bob = person(2);
  sync(alice, bob);
  const { state, view } = alice.editor;
  view.dispatch(state.tr.setSelection(NodeSelection.create(state.doc, 3)));
  bob.editor.commands.insertContentAt(1, "before ");
  view.dispatch(alice.editor.state.tr.setNodeAttribute(3, "latex", "y"));
  sync(alice, bob);
  expect(alice.editor.state.selection).toBeInstanceOf(NodeSelection);
  expect(alice.editor.getText()).toContain("before a $y$ b");
  expect(bob.editor.getHTML()).toBe(alice.editor.getHTML());
  bob.editor.destroy();
});

test("come along in a file that needs nothing from the server", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no network")));
  const copy = await copyOf(Y.encodeStateAsUpdate(alice.doc), "Sums");
  vi.unstubAllGlobals();
  const page = new DOMParser().parseFromString(await copy.content.text(), "text/html");
  expect(page.querySelectorAll("math")).toHaveLength(2);
});

describe("at the page", () => {
  afterEach(cleanup);

  async function opened(): Promise<Editor> {
    const doc = written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));
    openDocument({ doc });
    const sheet = await screen.findByRole<HTMLElement & { editor: Editor }>("textbox", { name: /^Document/ });
    act(() => void sheet.editor.commands.setTextSelection(6));
    return sheet.editor;
  }

  const field = () => screen.findByLabelText<HTMLTextAreaElement>("Formula in LaTeX");
  const latexIn = (editor: Editor) => JSON.stringify(editor.getJSON()).match(/"latex":"[^"]*"/g);

  test("one is begun, written, and ended by Enter; the cursor goes on behind it", async () => {
    const editor = await opened();
    act(() => void editor.commands.insertFormula("inlineMath"));
    fireEvent.change(await field(), { target: { value: "x^" } });
    expect(await screen.findByText(/^This LaTeX cannot be read/)).toBeTruthy();
    fireEvent.change(await field(), { target: { value: "x^2" } });
    expect(screen.queryByText(/^This LaTeX cannot be read/)).toBeNull();
    fireEvent.keyDown(await field(), { key: "Enter" });
    expect(latexIn(editor)).toEqual(['"latex":"x^2"']);
    act(() => void editor.commands.insertContent("!"));
    expect(editor.getText()).toBe("Hello$x^2$!");
  });

  test("Enter opens the one that is selected; one that is left empty goes", async () => {
    const editor = await opened();
    act(() => void editor.commands.insertContent({ type: "inlineMath", attrs: { latex: "y" } }));
    act(() => editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, 6))));
    expect(screen.queryByLabelText("Formula in LaTeX")).toBeNull();
    fireEvent.keyDown(editor.view.dom, { key: "Enter" });
    expect((await field()).value).toBe("y");
    fireEvent.change(await field(), { target: { value: "" } });
    fireEvent.keyDown(await field(), { key: "Escape" });
    expect(latexIn(editor)).toBeNull();
    expect(contentOf(editor.getJSON())).toHaveLength(1);
  });
});

test.each([
  ["a $$x^2$$", "inlineMath", "x^2"],
  ["$$$x^2$$$", "blockMath", "x^2"],
])("%s that is typed becomes an %s", (typed, kind, latex) => {
  const { editor } = alice;
  editor.commands.setContent("<p></p>");
  for (const letter of typed) {
    const { from, to } = editor.state.selection;
    const insert = () => editor.state.tr.insertText(letter, from, to);
    const isTaken = editor.view.someProp("handleTextInput", (take) =>
      take(editor.view, from, to, letter, insert),
    );
    if (!isTaken) editor.view.dispatch(insert());
  }
  const found: unknown[] = [];
  editor.state.doc.descendants(({ type, attrs }) => {
    if (type.name.endsWith("Math")) found.push([type.name, attrs.latex]);
  });
  expect(found).toEqual([[kind, latex]]);
});

test("the shared document holds them as elements", () => {
  expect(alice.doc.getXmlFragment(FRAGMENT).toString()).toMatch(/<inlineMath latex="x\^2">/i);
});
