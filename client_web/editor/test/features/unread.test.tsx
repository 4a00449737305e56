/** The number beside the bell: where no server tells of news, only a page that is seen asks. */

import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Api } from "../../src/api/api";
import { useUnread } from "../../src/features/inbox/useUnread";

let visibility: DocumentVisibilityState = "visible";
let asked = 0;
const api = {
  call: async () => {
    asked += 1;
    return { unread: asked, language: null };
  },
} as unknown as Api;

beforeEach(() => {
  vi.useFakeTimers();
  [visibility, asked] = ["visible", 0];
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const minutes = (count: number) => act(() => vi.advanceTimersByTimeAsync(count * 60_000));

async function turns(to: DocumentVisibilityState): Promise<void> {
  visibility = to;
  await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
}

test("a list that is seen asks once a minute, one that is hidden never, and one that comes back at once", async () => {
  const { result } = renderHook(() => useUnread(api, undefined));
  await minutes(2);
  expect([asked, result.current.unread]).toEqual([3, 3]);
  await turns("hidden");
  await minutes(30);
  expect(asked).toBe(3);
  await turns("visible");
  expect([asked, result.current.unread]).toEqual([4, 4]);
});

test("a document that is told of news asks for each, and else never", async () => {
  const { rerender } = renderHook(({ changes }) => useUnread(api, changes), { initialProps: { changes: 0 } });
  await minutes(5);
  expect(asked).toBe(0);
  rerender({ changes: 1 });
  await minutes(5);
  expect(asked).toBe(1);
  rerender({ changes: 2 });
  await minutes(5);
  expect(asked).toBe(2);
});
