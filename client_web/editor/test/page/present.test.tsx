/** Stories of who is here: their colours, one's own other tabs, and following somebody. */
import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { colorAmong, type Shown } from "../../src/page/colors";
import { PERSON_COLORS } from "../../src/ui/color";
import { element, words, written } from "./editors";
import { ANN, known, type MemoryProvider, openDocument } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const withWords = () => written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));

describe("the colours of those who are here", () => {
  const at = (clientId: number, color: string, isClaimed = true, userId: string | null = null): Shown => ({
    clientId,
    userId,
    color,
    isClaimed,
  });

  test("differ, while there are enough of them", () => {
    const here: Shown[] = [];
    for (const [clientId] of PERSON_COLORS.entries()) {
      const color = colorAmong(at(100 - clientId, "#c2410c", false), here);
      here.push(at(100 - clientId, color));
    }
    expect(new Set(here.map(({ color }) => color)).size).toBe(PERSON_COLORS.length);
    expect(colorAmong(at(1, "#c2410c", false), here)).toBe("#c2410c");
  });

  test("stay with those who came first", () => {
    const newcomer = at(1, "#0369a1", false);
    expect(colorAmong(at(9, "#0369a1"), [newcomer])).toBe("#0369a1");
    expect(colorAmong(newcomer, [at(9, "#0369a1")])).not.toBe("#0369a1");
  });

  test("of two who chose the same at once, one gives way", () => {
    const [one, other] = [at(1, "#0369a1"), at(2, "#0369a1")];
    expect(colorAmong(one, [other])).toBe("#0369a1");
    expect(colorAmong(other, [one])).not.toBe("#0369a1");
  });

  test("are one for all tabs of a person", () => {
    const tab = at(1, "#be123c", true, "ann");
    expect(colorAmong(at(2, "#0369a1", false, "ann"), [tab])).toBe("#be123c");
  });
});

interface Here {
  readonly color?: string;
  readonly cursor?: unknown;
}

/** Somebody's presence comes from the server. */
function comes(provider: MemoryProvider, clientId: number, user: object, state: Here = {}): void {
  act(() => {
    const { awareness } = provider;
    awareness.states.set(clientId, { ...state, user });
    awareness.meta.set(clientId, { clock: 1, lastUpdated: Date.now() });
    awareness.emit("change", [{ added: [clientId], updated: [], removed: [] }, "server"]);
  });
}

function goes(provider: MemoryProvider, clientId: number): void {
  act(() => {
    provider.awareness.states.delete(clientId);
    provider.awareness.emit("change", [{ added: [], updated: [], removed: [clientId] }, "server"]);
  });
}

const BOB = { id: "bob", name: "Bob", color: "#0369a1" };

describe("a person at the page", () => {
  test("gives way to a colour like theirs that is here, and tells the others", async () => {
    const { provider } = openDocument({ state: { status: "syncing" }, who: await known() });
    comes(provider(), 7, BOB, { color: "#0369a1" });
    provider().tells({ status: "synced" });
    await waitFor(() => expect(provider().awareness.getLocalState()?.color).toMatch(/^#/));
    expect(provider().awareness.getLocalState()?.color).not.toBe(ANN.user.color);
  });

  test("knows their own other tab", async () => {
    const { provider } = openDocument({ who: await known() });
    comes(provider(), 7, ANN.user);
    expect(await screen.findByRole("button", { name: "Follow Ann (you)" })).toBeTruthy();
  });
});

describe("following", () => {
  const inText = (doc: Y.Doc) => {
    const place = Y.relativePositionToJSON(
      Y.createRelativePositionFromTypeIndex(doc.getXmlFragment("default"), 0),
    );
    return { anchor: place, head: place };
  };

  async function followsBob() {
    const doc = withWords();
    const scrolled = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => undefined);
    const { provider } = openDocument({ doc });
    await screen.findByRole("textbox", { name: "Document" });
    comes(provider(), 7, BOB, { cursor: inText(doc) });
    const avatar = await screen.findByRole("button", { name: "Follow Bob" });
    scrolled.mockClear();
    fireEvent.click(avatar);
    await screen.findByText("Following Bob");
    return { provider: provider(), avatar, scrolled };
  }

  test("brings their caret into view, and says so", async () => {
    const { avatar, scrolled } = await followsBob();
    expect(avatar.getAttribute("aria-pressed")).toBe("true");
    expect(scrolled).toHaveBeenCalled();
    expect(screen.getByText("Following Bob. Press Escape to stop.")).toBeTruthy();
  });

  test("ends by scrolling, typing, Escape, its button and the avatar", async () => {
    const { avatar } = await followsBob();
    const ends = [
      () => fireEvent.wheel(screen.getByRole("main")),
      () => fireEvent.keyDown(screen.getByRole("textbox", { name: "Document" }), { key: "a" }),
      () => fireEvent.keyDown(document.body, { key: "Escape" }),
      () => fireEvent.click(screen.getByRole("button", { name: "Stop following" })),
      () => fireEvent.click(avatar),
    ];
    for (const end of ends) {
      end();
      await waitFor(() => expect(screen.queryByText("Following Bob")).toBeNull());
      fireEvent.click(avatar);
      await screen.findByText("Following Bob");
    }
  });

  test("says when they have no cursor in the text, and ends when they go", async () => {
    const { provider } = await followsBob();
    comes(provider, 7, BOB);
    await screen.findByText("Following Bob, who has no cursor in the text");
    goes(provider, 7);
    await waitFor(() => expect(screen.queryByText(/^Following Bob/)).toBeNull());
  });
});

describe("comings and goings", () => {
  test("are told in one sentence, once a while has passed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { provider } = openDocument({ who: await known() });
      const said = () => screen.queryByText(/(is|are) here\.|has left\./)?.textContent;
      comes(provider(), 7, BOB);
      comes(provider(), 8, { id: "cat", name: "Cat", color: "#be123c" });
      comes(provider(), 9, { id: "dan", name: "Dan", color: "#be123c" });
      goes(provider(), 9);
      expect(said()).toBeUndefined();
      act(() => void vi.advanceTimersByTime(5000));
      expect(said()).toBe("Bob and Cat are here.");
      goes(provider(), 8);
      comes(provider(), 9, { id: "dan", name: "Dan", color: "#be123c" });
      act(() => void vi.advanceTimersByTime(5000));
      expect(said()).toBe("Dan is here. Cat has left.");
    } finally {
      vi.useRealTimers();
    }
  });
});
