/** Pictures: what is said about them, their size and side, alone and with a colleague. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { NodeSelection } from "@tiptap/pm/state";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { replacePicture } from "../../src/extensions/uploads";
import { PictureView } from "../../src/features/pictures/picture_view";
import { attachment, Paster } from "../page/clipboard";
import { contentOf, element, type Person, person, sharedText, sync, words, written } from "../page/editors";
import { openDocument } from "../page/openDocument";

const SRC = attachment("abcdefgh", 1);
const PLAIN = `<img src="${SRC}" alt="A flag">`;
const CAPTIONED = `<figure style="text-align: center;"><img src="${SRC}" alt="A flag" width="40" height="30"><figcaption>Ours</figcaption></figure>`;

let alice: Person;
let bob: Person;

beforeEach(() => {
  [alice, bob] = [person(1), person(2)];
});

afterEach(() => {
  for (const { editor } of [alice, bob]) editor.destroy();
});

function select({ editor }: Person, at: number): void {
  editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, at)));
}

function pictureAt(at: number, { editor }: Person): PictureView {
  const view = PictureView.of(editor.view.nodeDOM(at));
  if (!view) throw new Error("There is no picture");
  return view;
}

test.each([
  ["alone", PLAIN],
  ["with caption and side", CAPTIONED],
])("a picture %s is read and written alike", (_, html) => {
  alice.editor.commands.setContent(`<p>a</p>${html}`);
  expect(alice.editor.getHTML().replace(' loading="lazy"', "")).toBe(`<p>a</p>${html}`);
});

test.each([
  ["a table", "<figure><table><tr><td><p>x</p></td></tr></table><figcaption>f</figcaption></figure>"],
  ["words", `<figure><img src="${SRC}"><p>words</p></figure>`],
])("a figure that holds %s is no picture, and nothing of it is lost", (_, html) => {
  alice.editor.commands.setContent(html);
  expect(alice.editor.getText()).toMatch(/x|words/);
});

test("what is known of a picture comes along from another document", async () => {
  vi.stubGlobal("fetch", async () => new Response("bytes", { headers: { "Content-Type": "image/png" } }));
  const paster = new Paster("document-2");
  const pasted = await paster.pastes({ html: `<div data-pm-slice="0 0 []">${CAPTIONED}</div>` });
  expect(pasted).toContain(CAPTIONED.replace(SRC, attachment("document-2", 1)));
  paster.editor.destroy();
  vi.unstubAllGlobals();
});

describe("with a colleague", () => {
  beforeEach(() => {
    alice.editor.commands.setContent(`<p>before</p>${PLAIN}<p>after</p>`);
    sync(alice, bob);
  });

  const act: Readonly<Record<string, () => unknown>> = {
    "sizes it": () => bob.editor.commands.updateAttributes("image", { width: 200, height: 150 }),
    "puts it on the right": () => bob.editor.commands.setTextAlign("right"),
    "writes its caption": () => bob.editor.commands.updateAttributes("image", { caption: "Ours" }),
  };

  test.each(Object.keys(act))(
    "who %s, a typist's caret stays, and so does one's selected picture",
    (name) => {
      alice.editor.commands.setTextSelection(12);
      const typed = alice.editor.state.selection.from;
      select(bob, 8);
      act[name]?.();
      sync(alice, bob);
      expect(alice.editor.state.selection.from).toBe(typed);
      alice.editor.commands.insertContent("X");
      expect(alice.editor.getText()).toContain("afXter");
      select(alice, 8);
      bob.editor.commands.updateAttributes("image", { width: 300, height: 225 });
      sync(alice, bob);
      expect(alice.editor.state.selection).toBeInstanceOf(NodeSelection);
      expect(alice.editor.state.selection.from).toBe(8);
    },
  );

  test("who moves it, a typist's caret stays", () => {
    alice.editor.commands.setTextSelection(12);
    const { tr, doc } = bob.editor.state;
    const picture = doc.child(1);
    bob.editor.view.dispatch(tr.delete(8, 9).insert(0, picture));
    sync(alice, bob);
    alice.editor.commands.insertContent("X");
    sync(alice, bob);
    expect(bob.editor.getText()).toContain("afXter");
    expect(contentOf(bob).map(({ type }) => type)).toEqual(["image", "paragraph", "paragraph"]);
  });

  test("the picture's element stays on the screen through every change", () => {
    const { image } = pictureAt(8, alice);
    select(bob, 8);
    for (const change of Object.values(act)) change();
    sync(alice, bob);
    expect(pictureAt(8, alice).image).toBe(image);
    expect(image.getAttribute("width")).toBe("200");
    expect(alice.editor.view.dom.querySelector("textarea")?.value).toBe("Ours");
  });

  test("a caption that one is writing is not overwritten, and both have the last one", () => {
    const field = alice.editor.view.dom.querySelector("textarea") as HTMLTextAreaElement;
    pictureAt(8, alice).editCaption();
    fireEvent.input(field, { target: { value: "Alice's" } });
    select(bob, 8);
    bob.editor.commands.updateAttributes("image", { caption: "Bob's" });
    sync(alice, bob);
    expect(field.value).toBe("Alice's");
    fireEvent.keyDown(field, { key: "Enter" });
    sync(alice, bob);
    expect(sharedText(bob)).toContain(`caption="Alice's"`);
    expect(alice.editor.state.selection.$from.parent.textContent).toBe("after");
  });
});

describe("replaced", () => {
  test("keeps what was written about it, and its width; its place is found again", async () => {
    const paster = new Paster("abcdefgh");
    paster.editor.commands.setContent(CAPTIONED);
    const replaced = replacePicture(paster.editor, 0, new File(["x"], "new.png", { type: "image/png" }));
    paster.editor.commands.insertContentAt(0, "<p>above</p>");
    await replaced;
    const [, image] = contentOf(paster.editor.getJSON());
    expect(image?.attrs).toMatchObject({
      caption: "Ours",
      alt: "A flag",
      width: 40,
      height: 30,
      textAlign: "center",
    });
    expect(image?.attrs?.src).toBe(attachment("abcdefgh", 1));
    paster.editor.destroy();
  });

  test("by no picture is refused; and a picture that is gone meanwhile is told", async () => {
    const paster = new Paster("abcdefgh");
    paster.editor.commands.setContent(PLAIN);
    await replacePicture(paster.editor, 0, new File(["x"], "a.txt", { type: "text/plain" }));
    const replaced = replacePicture(paster.editor, 0, new File(["x"], "b.png", { type: "image/png" }));
    paster.editor.commands.setContent("<p>gone</p>");
    await replaced;
    expect(paster.said).toEqual([
      "“a.txt” was not added. Only pictures can be: PNG, JPEG, GIF or WebP.",
      "“b.png” was not added. Somebody has deleted the picture that it was for.",
    ]);
    paster.editor.destroy();
  });
});

describe("the tools at a picture", () => {
  const withPicture = () =>
    written((fragment) =>
      fragment.insert(0, [element("image", [], { src: SRC }), element("paragraph", [words("Hello")])]),
    );

  async function selected(state = {}): Promise<Editor> {
    openDocument({ doc: withPicture(), state });
    const sheet = await screen.findByRole<HTMLElement & { editor: Editor }>("textbox", { name: /^Document/ });
    const { editor } = sheet;
    act(() => editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, 0))));
    await screen.findByLabelText("Full size");
    return editor;
  }

  const press = (name: string) => fireEvent.click(screen.getByLabelText(name));
  const attrs = (editor: Editor) => contentOf(editor.getJSON())[0]?.attrs;

  afterEach(cleanup);

  test("align it, and the page's own alignment does the same", async () => {
    const editor = await selected();
    press("Put the picture on the right");
    expect(attrs(editor)?.textAlign).toBe("right");
    expect(screen.getByLabelText<HTMLButtonElement>("Justify").disabled).toBe(true);
    press("Align centre");
    expect(attrs(editor)?.textAlign).toBe("center");
    expect(screen.getByLabelText("Put the picture in the middle").getAttribute("aria-pressed")).toBe("true");
  });

  test("describe it, or say that it only decorates", async () => {
    const editor = await selected();
    expect(attrs(editor)?.alt).toBeNull();
    press("Describe the picture");
    fireEvent.change(await screen.findByLabelText("Description"), { target: { value: " A flag " } });
    fireEvent.click(screen.getByText("Save"));
    expect(attrs(editor)?.alt).toBe("A flag");
    press("Change the description");
    fireEvent.click(await screen.findByLabelText("It only decorates the page"));
    fireEvent.click(screen.getByText("Save"));
    expect(attrs(editor)?.alt).toBe("");
  });

  test("show it in full, and Esc goes back to it", async () => {
    const editor = await selected();
    press("Full size");
    const shown = await screen.findByRole("dialog");
    expect(shown.querySelector("img")?.getAttribute("src")).toBe(SRC);
    fireEvent.keyDown(shown, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(editor.state.selection).toBeInstanceOf(NodeSelection);
  });

  test("are reached by Alt+F10, and left for the page's by the same key", async () => {
    await selected();
    const inToolbar = () => document.activeElement?.closest("[role=toolbar]")?.getAttribute("aria-label");
    fireEvent.keyDown(window, { key: "F10", altKey: true });
    expect(inToolbar()).toBe("Picture");
    fireEvent.keyDown(window, { key: "F10", altKey: true });
    expect(inToolbar()).toBe("Formatting");
  });

  test("let those who may only read look at it and keep it", async () => {
    await selected({ role: "viewer", canSuggest: false });
    const names = document.querySelectorAll(".page-object-tools button");
    expect(Array.from(names, (button) => button.getAttribute("aria-label"))).toEqual([
      "Full size",
      "Download",
    ]);
    expect(screen.queryByRole("slider")).toBeNull();
  });
});
