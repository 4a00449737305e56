/** The code for what is suggested, when it is out of reach at first. */

import { cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useHasSuggestions } from "../../src/features/suggesting/usePresent";
import { person } from "../page/editors";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("is asked for again until it has come", async () => {
  vi.useFakeTimers();
  const { editor } = person(1);
  const load = vi.fn(async () => {});
  load.mockRejectedValueOnce(new Error("offline")).mockRejectedValueOnce(new Error("offline"));
  const { result } = renderHook(() => useHasSuggestions(editor, load));
  const suggested = { type: "insertion", attrs: { user: "ann", at: 1, id: "s" } };
  editor.commands.setContent({
    type: "doc",
    content: [{ type: "paragraph", content: [{ type: "text", text: "new", marks: [suggested] }] }],
  });
  await vi.waitFor(() => expect(result.current).toBe(true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(load).toHaveBeenCalledTimes(3);
});
