/** Stories of a person at the editor page. */

import { FRAGMENT } from "@manyhands/schema";
import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { PERSON_COLORS } from "../../src/ui/color";
import { element, words, written } from "./editors";
import { anyDocument, openDocument, type Request, refusal } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const paragraph = (text: string) => element("paragraph", [words(text)]);
const withWords = () => written((fragment) => fragment.insert(0, [paragraph("Hello")]));
const sheet = () => screen.findByRole("textbox", { name: /^Document/ });

describe("the title", () => {
  const title = () => screen.getByLabelText<HTMLInputElement>("Title of the document");
  const type = (words: string) => {
    title().focus();
    fireEvent.change(title(), { target: { value: words } });
  };
  const press = (key: string) => fireEvent.keyDown(title(), { key });

  test("is saved by Enter", async () => {
    const { requests, provider } = openDocument();
    type("  Plans ");
    press("Enter");
    expect(requests).toEqual([
      { method: "PATCH", path: "/api/documents/abcdefgh", body: { title: "Plans" } },
    ]);
    provider().tells({ document: { title: "Plans", trashedAt: null } });
    await waitFor(() => expect(title().value).toBe("Plans"));
    expect(document.title).toBe("Plans · Manyhands");
  });

  test("is taken back by Escape", () => {
    const { requests } = openDocument();
    type("Nonsense");
    press("Escape");
    expect(title().value).toBe("Minutes");
    expect(requests).toEqual([]);
  });

  test("is not saved when it is the same", () => {
    const { requests } = openDocument();
    type("Minutes ");
    fireEvent.blur(title());
    expect(title().value).toBe("Minutes");
    expect(requests).toEqual([]);
  });

  test("that is cleared is left to the first line", async () => {
    const { requests, provider } = openDocument();
    type(" ");
    press("Enter");
    expect(requests.map(({ body }) => body)).toEqual([{ title: "" }]);
    provider().tells({ document: { title: "Hello", trashedAt: null } });
    await waitFor(() => expect(title().value).toBe("Hello"));
  });

  test.each(["Enter", "ArrowDown"])("leads to the text by %s", async (key) => {
    openDocument({ doc: withWords() });
    const text = await sheet();
    title().focus();
    press(key);
    await waitFor(() => expect(document.activeElement).toBe(text));
  });

  test("is still being composed when an input method takes Enter", async () => {
    openDocument({ doc: withWords() });
    await sheet();
    title().focus();
    fireEvent.keyDown(title(), { key: "Enter", isComposing: true });
    expect(document.activeElement).toBe(title());
  });

  test("follows what others do", () => {
    const { provider } = openDocument();
    provider().tells({ document: { title: "Ann's title", trashedAt: null } });
    expect(title().value).toBe("Ann's title");
  });

  test("that the server refuses is what it was, with the reason", async () => {
    openDocument({ answer: () => refusal("forbidden", "You may not rename it.", 403) });
    type("Plans");
    press("Enter");
    expect(await screen.findByText("The title was not saved. You may not rename it.")).toBeTruthy();
    expect(title().value).toBe("Minutes");
  });
});

describe("before there is a document", () => {
  test("a large one shows how much has come", () => {
    const { provider } = openDocument({ state: { loaded: false, status: "syncing" } });
    expect(screen.getByText("Opening the document")).toBeTruthy();
    provider().tells({ progress: { received: 25, total: 100 } });
    expect(screen.getByText(/Fetching the document: 25 %/)).toBeTruthy();
  });

  test("offline without a copy says so and tries again when asked", () => {
    const { provider } = openDocument({ state: { loaded: false, status: "offline" } });
    fireEvent.click(screen.getByText("Try again"));
    expect(provider().reconnects).toBe(1);
  });

  test("a server that lets nobody in is quoted, and tried again when asked", () => {
    const turnedAway = { code: "too_many", message: "You have 100 connections open." } as const;
    const { provider } = openDocument({ state: { loaded: false, status: "offline", turnedAway } });
    expect(screen.getByText(/You have 100 connections open\./)).toBeTruthy();
    expect(screen.queryByText(/You are offline/)).toBeNull();
    fireEvent.click(screen.getByText("Try again"));
    expect(provider().reconnects).toBe(1);
  });

  test("one that does not exist is not found", () => {
    openDocument({ state: { loaded: false, closed: { code: "not_found", message: "No such document." } } });
    expect(screen.getByText("There is nothing at this address")).toBeTruthy();
  });

  test("one that was deleted says why it cannot be opened", () => {
    openDocument({
      state: { loaded: false, closed: { code: "deleted", message: "It was deleted for ever." } },
    });
    expect(screen.getByText("It was deleted for ever.")).toBeTruthy();
  });
});

describe("what may be written", () => {
  test("an ordinary document has a toolbar and an editable sheet", async () => {
    openDocument({ doc: withWords() });
    expect((await sheet()).getAttribute("contenteditable")).toBe("true");
    expect(screen.getByRole("toolbar", { name: "Formatting" })).toBeTruthy();
    expect((await sheet()).textContent).toBe("Hello");
  });

  test("one in the trash can be read and restored", async () => {
    const { requests } = openDocument({
      doc: withWords(),
      state: { role: "owner", document: { title: "Minutes", trashedAt: "2027-01-01T00:00:00Z" } },
    });
    expect((await sheet()).getAttribute("contenteditable")).toBe("false");
    fireEvent.click(screen.getByText("Restore"));
    expect(requests[0]).toMatchObject({ method: "POST", path: "/api/documents/abcdefgh/restore" });
  });

  test("one of another format can be read, and says why", async () => {
    const message = "This page does not know the document's format.";
    const { provider } = openDocument({ doc: withWords() });
    provider().tells({ readOnly: { reason: "format", message, unknown: [] } });
    await waitFor(async () => expect((await sheet()).getAttribute("contenteditable")).toBe("false"));
    expect(screen.getByText(/does not know the document's format/)).toBeTruthy();
    expect((await sheet()).textContent).toBe("Hello");
  });

  test("one that a newer page writes is kept as it was, until the page is loaded anew", async () => {
    const { provider } = openDocument({ doc: withWords(), state: { unsaved: 1 } });
    provider().tells({ closed: { code: "other_format", message: "Load the page anew." } });
    await waitFor(async () => expect((await sheet()).getAttribute("contenteditable")).toBe("false"));
    expect(screen.getByText(/What you wrote is kept on this device/)).toBeTruthy();
    expect(screen.getByText("Reload the page")).toBeTruthy();
    expect(screen.queryByText("Save as new document")).toBeNull();
  });

  test("a role taken away makes it read-only at once, and a role given makes it editable", async () => {
    const { provider } = openDocument({ doc: withWords() });
    provider().tells({ role: "viewer" });
    expect((await sheet()).getAttribute("contenteditable")).toBe("false");
    expect(screen.getByRole("note", { name: /^View only/ })).toBeTruthy();
    expect(screen.queryByRole("toolbar", { name: "Formatting" })).toBeNull();
    provider().tells({ role: "editor" });
    expect((await sheet()).getAttribute("contenteditable")).toBe("true");
  });

  test("a reader stays one without a server, and somebody of whom nothing is known writes", async () => {
    const { provider } = openDocument({ doc: withWords(), state: { role: "viewer" } });
    await sheet();
    provider().tells({ role: null, status: "offline" });
    expect((await sheet()).getAttribute("contenteditable")).toBe("false");
    cleanup();
    localStorage.clear();
    openDocument({ doc: withWords(), state: { role: null, status: "offline" } });
    expect((await sheet()).getAttribute("contenteditable")).toBe("true");
  });

  test("content of another application is shown around, kept, and not editable", async () => {
    const doc = written((fragment) => fragment.insert(0, [element("poll", []), paragraph("Hello")]));
    openDocument({ doc });
    expect(await screen.findByText(/content of another application \(poll\)/)).toBeTruthy();
    expect((await sheet()).getAttribute("contenteditable")).toBe("false");
    expect((await sheet()).textContent).toBe("Not shown here: pollHello");
    expect(doc.getXmlFragment(FRAGMENT).toString()).toContain("<poll></poll>");
  });

  test("content of another application that arrives later is kept as well", async () => {
    const doc = withWords();
    openDocument({ doc });
    await sheet();
    const remote = new Y.Doc();
    Y.applyUpdate(remote, Y.encodeStateAsUpdate(doc));
    remote.getXmlFragment(FRAGMENT).insert(1, [element("poll", [])]);
    act(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(remote)));
    expect(await screen.findByText(/content of another application \(poll\)/)).toBeTruthy();
    expect(doc.getXmlFragment(FRAGMENT).toString()).toContain("<poll></poll>");
  });
});

describe("when changes are kept aside", () => {
  test("the page says how many and what to do, until that is read or there are more", () => {
    const { provider } = openDocument({ state: { setAside: 1 } });
    expect(
      screen.getByText(/One change in this document could not be applied .* “manyhands doctor”/),
    ).toBeTruthy();
    fireEvent.click(screen.getByText("Hide"));
    expect(screen.queryByText(/could not be applied/)).toBeNull();
    provider().tells({ setAside: 3 });
    expect(screen.getByText(/3 changes in this document could not be applied/)).toBeTruthy();
    provider().tells({ setAside: 0 });
    expect(screen.queryByText(/could not be applied/)).toBeNull();
  });
});

describe("when the server does not take a change", () => {
  const refused = { refusal: { code: "document_full", message: "The document is full.", bytes: 9 } } as const;

  test("the page says so, and the local copy can be dropped after a question", async () => {
    const { provider } = openDocument({ doc: withWords(), state: refused });
    expect(screen.getByText(/The server did not take a change: The document is full\./)).toBeTruthy();
    fireEvent.click(screen.getByText("Reload from the server"));
    const before = provider();
    fireEvent.click(await screen.findByText("Drop and reload"));
    await waitFor(() => expect(before.discards).toBe(1));
    await waitFor(() => expect(provider()).not.toBe(before));
  });

  test("the words can be saved as a new document", async () => {
    const { provider } = openDocument({
      doc: withWords(),
      state: refused,
      answer: () =>
        new Response(JSON.stringify({ id: "copycopy", title: "Minutes (copy)" }), { status: 201 }),
    });
    const before = provider();
    fireEvent.click(screen.getByText("Save as new document"));
    await waitFor(() => expect(provider().documentId).toBe("copycopy"));
    expect(provider()).not.toBe(before);
    expect(provider().doc.getXmlFragment(FRAGMENT).toString()).toContain("Hello");
    await waitFor(() => expect(window.location.pathname).toBe("/d/copycopy"));
  });

  describe("its pictures", () => {
    const PICTURES = ["a", "b", "c"].map(
      (letter) => `/api/documents/abcdefgh/attachments/${letter.repeat(64)}`,
    );

    function withPictures(): Y.Doc {
      const doc = withWords();
      for (const src of [...PICTURES, ...PICTURES.slice(0, 1)]) {
        const image = new Y.XmlElement("image");
        image.setAttribute("src", src);
        image.setAttribute("alt", "a chart");
        doc.getXmlFragment(FRAGMENT).push([image]);
      }
      return doc;
    }

    /** The server copies the first picture, this device holds the second, and the third is lost. */
    function answer({ method, path, body }: Request): Response {
      const copied = "/api/documents/copycopy/attachments";
      if (method === "PUT")
        return path.endsWith(`/${"a".repeat(64)}`)
          ? new Response(null, { status: 204 })
          : refusal("not_found", "There is no such document.", 404);
      if (path !== copied)
        return new Response(JSON.stringify({ id: "copycopy", title: "" }), { status: 201 });
      expect(body).toBeInstanceOf(Blob);
      return new Response(JSON.stringify({ url: `${copied}/${"b".repeat(64)}` }), { status: 201 });
    }

    test("come along, from the server or from this device, and lost ones are told", async () => {
      vi.stubGlobal("fetch", async (address: string) =>
        address === PICTURES[1] ? new Response("bytes") : new Response(null, { status: 404 }),
      );
      try {
        const { provider, requests } = openDocument({ doc: withPictures(), state: refused, answer });
        fireEvent.click(screen.getByText("Save as new document"));
        await waitFor(() => expect(provider().documentId).toBe("copycopy"));
        const written = provider().doc.getXmlFragment(FRAGMENT).toString();
        const sources = [...written.matchAll(/src="([^"]*)"/g)].map(([, src]) => src);
        const [first, second, third] = PICTURES;
        const here = (src = "") => src.replace("abcdefgh", "copycopy");
        expect(sources).toEqual([here(first), here(second), third, here(first)]);
        expect(written).toContain('alt="a chart"');
        expect(requests.filter(({ method }) => method === "PUT")).toHaveLength(3);
        await screen.findByText(/One picture could not be copied/);
      } finally {
        vi.unstubAllGlobals();
      }
    });
  });
});

test("undo and redo say what they take back, and what they have taken back", async () => {
  openDocument({ doc: withWords() });
  const { editor } = (await sheet()) as HTMLElement & { readonly editor: Editor };
  const button = (name: string) => screen.findByRole("button", { name });
  expect(await button("Undo your last change")).toHaveProperty("disabled", true);
  act(() => void editor.commands.insertContentAt(1, "Oh: "));
  fireEvent.click(await button("Undo your typing"));
  expect(await screen.findByText("Your typing was undone.")).toBeTruthy();
  expect(editor.getText()).toBe("Hello");
  fireEvent.click(await button("Redo your typing"));
  expect(await screen.findByText("Your typing is back.")).toBeTruthy();
  expect(editor.getText()).toBe("Oh: Hello");
});

test("the status opens its details", async () => {
  // With words in it, since an empty document takes the focus, and the details close.
  openDocument({ doc: withWords(), state: { unsaved: 2, status: "offline" } });
  fireEvent.click(screen.getByRole("button", { name: "Offline – kept on this device. Details" }));
  expect(await screen.findByText("2 changes")).toBeTruthy();
  expect(screen.getByText("Connect now")).toBeTruthy();
});

test("one's name is kept and told to the others", async () => {
  const { provider } = openDocument();
  fireEvent.click(screen.getByRole("button", { name: /^You are Guest/ }));
  const field = await screen.findByLabelText("Your name");
  fireEvent.change(field, { target: { value: "Ann" } });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(provider().user.name).toBe("Ann");
  expect(provider().awareness.getLocalState()?.user).toMatchObject({ name: "Ann" });
  expect(localStorage.getItem("manyhands:person")).toContain("Ann");
});

test("the help sheet opens with Ctrl+/", async () => {
  openDocument({ answer: anyDocument });
  fireEvent.keyDown(window, { key: "/", ctrlKey: true });
  expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toBeTruthy();
});

test("one's colour is chosen by its name, not by digits", async () => {
  openDocument();
  fireEvent.click(await screen.findByRole("button", { name: /Change name and colour$/ }));
  const colors = within(await screen.findByRole("group", { name: "Your colour" })).getAllByRole("radio");
  const names = colors.map((each) => (each as HTMLInputElement).labels?.[0]?.textContent ?? "");
  expect(new Set(names).size).toBe(PERSON_COLORS.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][a-z ]+$/);
  fireEvent.click(screen.getByRole("radio", { name: "Sea blue" }));
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "Sea blue" }).checked).toBe(true);
});
