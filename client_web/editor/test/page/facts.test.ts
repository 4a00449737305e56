/** Outline and counts beside a document that is being opened and written in. */

import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useFacts } from "../../src/page/useFacts";
import { person } from "./editors";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function opened(html: string) {
  const { editor } = person(1);
  editor.commands.setContent(html);
  const { result } = renderHook(() => useFacts(editor));
  return { editor, facts: () => result.current };
}

test("the outline is there at once, and the words are counted a moment later", () => {
  const { facts } = opened("<h1>Plan</h1><p>two words</p>");
  expect(facts()).toMatchObject({ outline: [{ text: "Plan" }], whole: null });
  act(() => vi.advanceTimersByTime(250));
  expect(facts().whole).toEqual({ words: 3, characters: 13, charactersWithoutSpaces: 12 });
});

test("the words are counted though somebody writes all the time, and again when the writing pauses", () => {
  const { editor, facts } = opened("<p>one</p>");
  for (let key = 0; key < 5; key += 1) {
    act(() => {
      editor.commands.insertContentAt(1, "a ");
      vi.advanceTimersByTime(100);
    });
  }
  expect(facts().whole?.words).toBeLessThan(6);
  act(() => vi.advanceTimersByTime(250));
  expect(facts().whole?.words).toBe(6);
});
