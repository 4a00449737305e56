/** Stories of the share dialog, of coming by a link, and of losing access. */
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createWhoAmI } from "../../src/api/whoAmI";
import { element, words, written } from "./editors";
import { ANN, known, openDocument, refusal } from "./openDocument";
import { SharingServer, shared } from "./sharingServer";

const copied: string[] = [];

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  copied.length = 0;
  window.history.replaceState(null, "", "/d/abcdefgh");
  vi.stubGlobal("navigator", {
    userAgent: navigator.userAgent,
    clipboard: { writeText: async (text: string) => void copied.push(text) },
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const withWords = () => written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));

async function openDialog(server: SharingServer, role: "owner" | "editor" | "viewer" = "owner", me = ANN) {
  const page = openDocument({ answer: server.answer, state: { role }, who: await known(me) });
  fireEvent.click(screen.getByRole("button", { name: "Share" }));
  return { page, dialog: within(await screen.findByRole("dialog", { name: "Share “Minutes”" })) };
}

/** Opens a menu by its button and picks a command. */
async function pick(button: string, command: RegExp): Promise<void> {
  fireEvent.keyDown(await screen.findByRole("button", { name: button }), { key: "Enter" });
  fireEvent.click(
    await screen.findByRole(/…$/.test(command.source) ? "menuitem" : "menuitemradio", { name: command }),
  );
}

const confirm = async (answer: string) =>
  fireEvent.click(await screen.findByRole("button", { name: answer }));

describe("the owner", () => {
  const server = () =>
    new SharingServer(shared("ann", "owner"), shared("bob", "editor"), shared("cleo", "viewer", "link"));

  test("sees who has access, oneself among them, and how they came", async () => {
    const { dialog } = await openDialog(server());
    const people = within(await dialog.findByRole("list", { name: "People with access" }));
    expect(people.getAllByRole("listitem").map((row) => row.textContent)).toEqual([
      expect.stringMatching(/ann \(you\)Owner$/),
      expect.stringMatching(/bobEditor$/),
      expect.stringMatching(/cleoEditor by the linkViewer$/),
    ]);
    await pick("Link: Anyone with the link", /Restricted/);
    await people.findByText("Came by the link");
  });

  test("changes a role", async () => {
    const backend = server();
    await openDialog(backend);
    await pick("bob: Editor", /Commenter/);
    await screen.findByRole("button", { name: "bob: Commenter" });
    expect(backend.roles().bob).toBe("commenter");
  });

  test("adds people by address or id", async () => {
    const backend = server();
    const { page, dialog } = await openDialog(backend);
    for (const who of ["dora@example.org", "user-7"]) {
      fireEvent.change(dialog.getByRole("textbox"), { target: { value: who } });
      fireEvent.click(dialog.getByRole("button", { name: "Add" }));
      await waitFor(() => expect(dialog.getByRole<HTMLInputElement>("textbox").value).toBe(""));
    }
    const bodies = page.requests.filter(({ method }) => method === "POST").map(({ body }) => body);
    expect(bodies).toEqual([
      { email: "dora@example.org", role: "editor" },
      { user_id: "user-7", role: "editor" },
    ]);
  });

  test("who is a guest adds nobody by name: there are only links", async () => {
    const { dialog } = await openDialog(server(), "owner", { ...ANN, kind: "guest" });
    await dialog.findByText("bob");
    expect(dialog.queryByRole("textbox")).toBeNull();
  });

  test("removes somebody after a question", async () => {
    const backend = server();
    await openDialog(backend);
    await pick("bob: Editor", /Remove access…/);
    await screen.findByText("Remove bob?");
    await confirm("Remove access");
    await waitFor(() => expect(Object.keys(backend.roles())).toEqual(["ann", "cleo"]));
  });

  test("hands the document over after a question", async () => {
    const backend = server();
    await openDialog(backend);
    await pick("bob: Editor", /Make the owner…/);
    await confirm("Make the owner");
    await waitFor(() => expect(backend.roles()).toMatchObject({ ann: "editor", bob: "owner" }));
  });

  test("lets other editors write a document that has a format, and takes that back", async () => {
    const backend = server();
    const format = { name: "manyhands", version: 1 };
    const document = { title: "Minutes", trashedAt: null };
    const { page } = await openDialog(backend);
    expect(screen.queryByText("Other editors")).toBeNull();
    page.provider().tells({ document: { ...document, format } });
    await pick("Editors: Only editors that know everything in it", /Any editor/);
    await waitFor(() => expect(backend.anyFormat).toBe(true));
    page.provider().tells({ document: { ...document, format, anyFormat: true } });
    await screen.findByText(/deletes what it does not know/);
    await pick("Editors: Any editor", /Only editors/);
    await waitFor(() => expect(backend.anyFormat).toBe(false));
  });

  test("restricts the link, and opens it again for readers", async () => {
    const backend = server();
    await openDialog(backend);
    await pick("Link: Anyone with the link", /Restricted/);
    await screen.findByText("Only the people above can open it.");
    expect(backend.link.role).toBeNull();
    await pick("Link: Restricted", /Anyone with the link/);
    await screen.findByRole("button", { name: "Whoever has the link: Viewer" });
    expect(backend.link.role).toBe("viewer");
  });

  test("is told that an address which was closed stays closed, and may open it too", async () => {
    const backend = server();
    await openDialog(backend);
    await pick("Link: Anyone with the link", /Restricted/);
    await pick("Link: Restricted", /Anyone with the link/);
    await screen.findByText("This is a new link. An address that was sent before stays closed.");
    expect(screen.getByText(/The bare address of this page does not open it/)).toBeTruthy();
    expect(backend.link.address_alone).toBe(false);
    fireEvent.click(screen.getByText("Open the old address too"));
    await screen.findByText(/The address of this page is the link/);
    expect(backend.link).toMatchObject({ role: "viewer", address_alone: true });
  });

  test("is told that a link which was closed works again", async () => {
    const backend = server();
    backend.link = {
      role: "viewer",
      address_alone: false,
      url: "/d/abcdefgh#link=secret_secret",
      reopens: false,
    };
    await openDialog(backend);
    await pick("Link: Anyone with the link", /Restricted/);
    await screen.findByText(/The link that was sent works again when you open it/);
    await pick("Link: Restricted", /Anyone with the link/);
    await screen.findByText("The link that was sent before works again.");
  });

  test("reads beside the button whom a copied link lets in", async () => {
    const { dialog } = await openDialog(server());
    const button = dialog.getByRole("button", { name: "Copy link" });
    const reach = () => document.getElementById(button.getAttribute("aria-describedby") ?? "")?.textContent;
    await waitFor(() => expect(reach()).toBe("Opens for anyone who has it: they can read and edit."));
    await pick("Link: Anyone with the link", /Restricted/);
    await waitFor(() => expect(reach()).toBe("Opens only for the people with access."));
  });

  test("sees guests as a number, and each of them when asked", async () => {
    const backend = new SharingServer(
      shared("ann", "owner"),
      shared("guest-1", "editor", "link", "Guest Otter"),
      shared("guest-2", "editor", "link", "Guest Wren"),
      shared("guest-3", "viewer", "grant", "Guest Finch"),
      shared("cleo", "editor", "link"),
    );
    const { dialog } = await openDialog(backend);
    await dialog.findByText("2 guests");
    expect(dialog.queryByText("Guest Otter")).toBeNull();
    expect(dialog.getByText("Guest Finch") && dialog.getByText("cleo")).toBeTruthy();
    fireEvent.click(dialog.getByRole("button", { name: "Show the guests" }));
    expect(within(dialog.getByRole("list", { name: "Guests" })).getAllByRole("listitem")).toHaveLength(2);
    await pick("Guest Wren: Editor", /Remove access…/);
    await confirm("Remove access");
    await dialog.findByText("1 guest");
  });

  test("makes a new link after a question, and copies that", async () => {
    const { dialog } = await openDialog(server());
    fireEvent.click(await dialog.findByRole("button", { name: "Copy link" }));
    fireEvent.click(await dialog.findByRole("button", { name: "Make a new link…" }));
    await confirm("Make a new link");
    await waitFor(() => expect(dialog.queryByText(/The address of this page is the link/)).toBeNull());
    fireEvent.click(dialog.getByRole("button", { name: "Copy link" }));
    await waitFor(() => expect(copied).toHaveLength(2));
    expect(copied.map((link) => new URL(link).pathname + new URL(link).hash)).toEqual([
      "/d/abcdefgh",
      "/d/abcdefgh#link=0123456789abcdefghijkl",
    ]);
  });

  test("is told why a change was refused, and sees what is true", async () => {
    const backend = server();
    await openDialog(backend);
    await screen.findByRole("button", { name: "bob: Editor" });
    backend.refusal = refusal("forbidden", "You are an editor now.", 403);
    await pick("bob: Editor", /Viewer/);
    expect((await screen.findAllByText("The role stays. You are an editor now.")).length).toBeGreaterThan(0);
    expect(screen.getByRole("button", { name: "bob: Editor" })).toBeTruthy();
  });
});

describe("others", () => {
  test("an editor sees who has access, and changes nothing", async () => {
    const { dialog } = await openDialog(
      new SharingServer(shared("bob", "owner"), shared("ann", "editor")),
      "editor",
    );
    await dialog.findByText("bob");
    expect(dialog.queryByRole("button", { name: /:/ })).toBeNull();
    expect(dialog.getByText("You can read and edit it.")).toBeTruthy();
  });

  test("a viewer sees nobody, and copies the link by which they came", async () => {
    window.history.replaceState(null, "", "/d/abcdefgh#link=secret_secret");
    const { page, dialog } = await openDialog(new SharingServer(), "viewer");
    expect(dialog.queryByText("People with access")).toBeNull();
    fireEvent.click(dialog.getByRole("button", { name: "Copy link" }));
    await waitFor(() => expect(copied[0]).toMatch(/\/d\/abcdefgh#link=secret_secret$/));
    expect(page.requests).toEqual([]);
  });

  test("leave after a question, and are at home again", async () => {
    const backend = new SharingServer(shared("bob", "owner"), shared("ann", "viewer"));
    const { dialog } = await openDialog(backend, "viewer");
    fireEvent.click(dialog.getByRole("button", { name: "Leave…" }));
    await confirm("Leave");
    await waitFor(() => expect(window.location.pathname).toBe("/"));
    expect(Object.keys(backend.roles())).toEqual(["bob"]);
  });
});

describe("a link's secret", () => {
  test("goes with the join, also when the address has lost it", () => {
    window.history.replaceState(null, "", "/d/abcdefgh#link=secret_secret");
    expect(openDocument().provider().link).toBe("secret_secret");
    cleanup();
    window.history.replaceState(null, "", "/d/abcdefgh#document");
    expect(openDocument().provider().link).toBe("secret_secret");
  });

  test("that is none is left alone", () => {
    window.history.replaceState(null, "", "/d/abcdefgh#link=a/b?");
    expect(openDocument().provider().link).toBeNull();
  });
});

describe("losing access", () => {
  const taken = {
    closed: { code: "forbidden", message: "You no longer have access to this document." },
  } as const;

  test("hides the document, and offers to save what is on this device", async () => {
    const { provider } = openDocument({
      doc: withWords(),
      answer: () =>
        new Response(JSON.stringify({ id: "copycopy", title: "Minutes (copy)" }), { status: 201 }),
    });
    await screen.findByRole("textbox", { name: "Document" });
    provider().tells({ ...taken, unsaved: 2 });
    expect(screen.getByRole("heading", { name: "You no longer have access" })).toBeTruthy();
    expect(screen.getByText(/2 changes of yours did not reach the server/)).toBeTruthy();
    expect(screen.queryByText("Hello")).toBeNull();
    fireEvent.click(screen.getByText("Save as new document"));
    await waitFor(() => expect(provider().documentId).toBe("copycopy"));
    expect(provider().doc.getXmlFragment("default").toString()).toContain("Hello");
  });

  test("may be a matter of minutes: the document opens again when it is asked for", async () => {
    const { provider } = openDocument({ doc: withWords() });
    const before = provider();
    before.tells(taken);
    before.tells({ closed: null });
    before.tells(taken);
    fireEvent.click(screen.getByText("Try again"));
    await waitFor(() => expect(provider()).not.toBe(before));
  });

  test("is not told apart from a document that is gone, when the page is opened later", () => {
    openDocument({ state: { closed: { code: "not_found", message: "There is no such document." } } });
    expect(screen.getByRole("heading", { name: "This document is not there for you any more" })).toBeTruthy();
  });
});

describe("who is signed in", () => {
  const expired = { closed: { code: "unauthenticated", message: "Sign in." } } as const;

  test("has their account in the header, and is known by it to others", async () => {
    const { provider } = openDocument({ who: await known() });
    expect(screen.getByRole("button", { name: "You are Ann. Account" })).toBeTruthy();
    expect(provider().awareness.getLocalState()?.user).toMatchObject({ name: "Ann" });
  });

  test("reads on when the sign-in has run out, and can sign in again", async () => {
    const { provider } = openDocument({ doc: withWords(), who: await known() });
    provider().tells(expired);
    const sheet = await screen.findByRole("textbox", { name: "Document, read-only" });
    expect(sheet.textContent).toBe("Hello");
    expect(screen.getByRole("button", { name: "Signed out. Details" })).toBeTruthy();
    expect(screen.getByRole("link", { name: "Sign in" }).getAttribute("href")).toBe(
      "/sign-in?next=%2Fd%2Fabcdefgh%2Fminutes",
    );
  });

  test("goes on by trying again, once signed in elsewhere", async () => {
    const { provider } = openDocument({ doc: withWords(), who: await known({ ...ANN, kind: "jwt" }) });
    const before = provider();
    before.tells(expired);
    expect(screen.queryByRole("link", { name: "Sign in" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(provider()).not.toBe(before));
  });

  test("is asked to sign in before there is a document", async () => {
    openDocument({ state: { ...expired, loaded: false }, who: await known() });
    expect(screen.getByRole("heading", { name: "Sign in to go on" })).toBeTruthy();
  });
});

describe("a guest's name", () => {
  const guest = { ...ANN, kind: "guest", mayRename: true } as const;

  test("is the one that this browser remembers, and the server is told once", async () => {
    localStorage.setItem("manyhands:person", JSON.stringify({ name: "Zoë  Bird", color: "#be123c" }));
    const told: string[] = [];
    const who = createWhoAmI({
      me: async () => guest,
      changeMe: async (look) => {
        told.push(look.name);
        return { ...guest, user: { id: "ann", name: "Zoë Bird", color: look.color } };
      },
    });
    await who.ask();
    openDocument({ who });
    await waitFor(() => expect(told).toEqual(["Zoë  Bird"]));
    expect(screen.getByRole("button", { name: /^You are Zoë/ })).toBeTruthy();
  });

  test("is changed here and at the server", async () => {
    const who = await known(guest);
    openDocument({ who });
    fireEvent.click(screen.getByRole("button", { name: /^You are Guest/ }));
    const field = await screen.findByLabelText("Your name");
    fireEvent.change(field, { target: { value: "Nell" } });
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(who.snapshot()).toMatchObject({ me: { user: { name: "Nell" } } }));
  });
});
