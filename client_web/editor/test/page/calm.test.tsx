/** A page at rest while somebody types: what typing does not change is not drawn anew. */

import { ySyncPluginKey } from "@manyhands/binding";
import type { ProviderState } from "@manyhands/provider";
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useAtCursor } from "../../src/page/useAtCursor";
import { useStatus } from "../../src/page/useStatus";
import { person } from "./editors";
import { SAVED } from "./openDocument";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function server() {
  let state: ProviderState = SAVED;
  const listeners = new Set<() => void>();
  return {
    snapshot: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    says: (change: Partial<ProviderState>) =>
      act(() => {
        state = { ...state, ...change };
        for (const listener of listeners) listener();
      }),
  };
}

test("“Saving…” stays from key to key, and “Saved” comes when the writing pauses", () => {
  const provider = server();
  const shown: string[] = [];
  renderHook(() => shown.push(useStatus(provider).label));
  for (let key = 0; key < 5; key += 1) {
    provider.says({ unsaved: 1 });
    provider.says({ unsaved: 0 });
    act(() => vi.advanceTimersByTime(100));
  }
  expect(shown).toEqual(["Saved", "Saving…"]);
  act(() => vi.advanceTimersByTime(100));
  expect(shown).toEqual(["Saved", "Saving…", "Saved"]);
});

test("“Saved” is never said while a change waits, and trouble is said at once", () => {
  const provider = server();
  const { result } = renderHook(() => useStatus(provider).label);
  provider.says({ unsaved: 1 });
  provider.says({ unsaved: 0 });
  provider.says({ unsaved: 1 });
  act(() => vi.advanceTimersByTime(60_000));
  expect(result.current).toBe("Saving…");
  provider.says({ durability: "waiting" });
  expect(result.current).toBe("Not saved – the server cannot store");
});

function tools() {
  const { editor } = person(1);
  editor.commands.setContent("<p>some words</p><h2>title</h2>");
  editor.commands.setTextSelection(3);
  let asked = 0;
  const { result } = renderHook(() =>
    useAtCursor(editor, () => {
      asked += 1;
      return {
        isBold: editor.isActive("bold"),
        isHeading: editor.isActive("heading"),
        canUndo: editor.can().undo(),
      };
    }),
  );
  const asks = (run: () => void) => {
    const before = asked;
    act(run);
    return asked > before;
  };
  return { editor, asks, shown: () => result.current };
}

test("tools are not asked for each letter, a colleague's or one's own", () => {
  const { editor, asks } = tools();
  act(() => editor.commands.insertContent("x"));
  expect(asks(() => editor.commands.insertContent("y"))).toBe(false);
  const binding = ySyncPluginKey.getState(editor.state)?.binding;
  const line = binding?.type.get(1);
  expect(asks(() => binding?.doc.transact(() => line?.setAttribute("level", 3 as never)))).toBe(false);
});

test.each([
  ["a format is switched on", (editor: ReturnType<typeof person>["editor"]) => editor.commands.toggleBold()],
  [
    "the cursor goes to another line",
    (editor: ReturnType<typeof person>["editor"]) => editor.commands.setTextSelection(16),
  ],
  [
    "words are selected",
    (editor: ReturnType<typeof person>["editor"]) => editor.commands.setTextSelection({ from: 1, to: 4 }),
  ],
  [
    "the line becomes another kind",
    (editor: ReturnType<typeof person>["editor"]) => editor.commands.setHeading({ level: 1 }),
  ],
  [
    "the line is emptied",
    (editor: ReturnType<typeof person>["editor"]) => editor.commands.deleteRange({ from: 1, to: 11 }),
  ],
  ["something is undone", (editor: ReturnType<typeof person>["editor"]) => editor.commands.undo()],
])("tools are asked when %s", (_, act) => {
  const { editor, asks } = tools();
  expect(asks(() => act(editor))).toBe(true);
});

test("tools show what is on at the cursor", () => {
  const { editor, asks, shown } = tools();
  const before = shown();
  expect(asks(() => editor.commands.setTextSelection(16))).toBe(true);
  expect(shown()).toEqual({ ...before, isHeading: true });
});
