/** The first minute in a document: where one writes, and what one is called. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Me } from "../../src/api/me";
import { element, words, written } from "./editors";
import { ANN, known, type OpenPage, openDocument } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const sheet = () => screen.findByRole("textbox", { name: /^Document/ });

describe("the caret", () => {
  test("is in the text of a new document", async () => {
    openDocument();
    const text = await sheet();
    await waitFor(() => expect(document.activeElement).toBe(text));
  });

  test("leaves alone who has opened something before it is drawn", async () => {
    const frames: FrameRequestCallback[] = [];
    vi.spyOn(window, "requestAnimationFrame").mockImplementation((frame) => frames.push(frame));
    openDocument();
    await sheet();
    fireEvent.click(screen.getByRole("button", { name: /Change name and colour$/ }));
    const field = await screen.findByLabelText("Your name");
    field.focus();
    act(() => {
      for (const frame of frames.splice(0)) frame(0);
    });
    expect(document.activeElement).toBe(field);
    vi.restoreAllMocks();
  });

  test("is not put into a document with words, nor into one that is only read", async () => {
    openDocument({ doc: written((root) => root.insert(0, [element("paragraph", [words("Hello")])])) });
    await sheet();
    expect(document.activeElement).toBe(document.body);
    cleanup();
    openDocument({ state: { role: "viewer" } });
    await sheet();
    expect(document.activeElement).toBe(document.body);
  });
});

describe("the name", () => {
  const GUEST: Me = { ...ANN, kind: "guest", email: null, mayRename: true, user: { ...ANN.user, id: "me" } };
  const card = () => screen.queryByRole("region", { name: "Your name" });
  const arrives = ({ provider }: OpenPage, name: string, id = name, client = 77) => {
    act(() => {
      const { awareness } = provider();
      awareness.states.set(client, { user: { id, name, color: "#c2410c" } });
      awareness.emit("change", [{ added: [client], updated: [], removed: [] }, "test"]);
    });
  };

  test("is asked for when somebody else comes, and not before", async () => {
    const page = openDocument({ who: await known(GUEST) });
    await sheet();
    arrives(page, "My own second tab", "me");
    expect(card()).toBeNull();
    arrives(page, "Nadia", "nadia", 78);
    await waitFor(() => expect(card()).toBeTruthy());
    expect(await screen.findByText(/^Nadia is here, too, and sees you as Guest/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("What may others call you?"), { target: { value: " Bo " } });
    fireEvent.click(screen.getByText("Use this name"));
    expect(card()).toBeNull();
    expect(page.provider().user.name).toBe("Bo");
  });

  test("is asked for once, also of those who want no other", async () => {
    const who = await known(GUEST);
    const page = openDocument({ who });
    await sheet();
    arrives(page, "Nadia");
    fireEvent.click(await screen.findByText(/^Stay Guest/));
    expect(card()).toBeNull();
    cleanup();
    const again = openDocument({ who });
    await sheet();
    arrives(again, "Nadia");
    expect(card()).toBeNull();
  });

  test("is asked of nobody who has said it or is known by an account", async () => {
    const known_ = openDocument({ who: await known() });
    await sheet();
    arrives(known_, "Nadia");
    cleanup();
    localStorage.setItem("manyhands:person", JSON.stringify({ name: "Bo", color: "#c2410c" }));
    const named = openDocument({ who: await known(GUEST) });
    await sheet();
    arrives(named, "Nadia");
    expect(card()).toBeNull();
  });
});
