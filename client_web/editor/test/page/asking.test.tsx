/** Stories of asking for access, and of answering. */
import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anyDocument, known, openDocument, type Request, refusal } from "./openDocument";
import { SharingServer, shared } from "./sharingServer";

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const closed = {
  loaded: false,
  closed: { code: "not_found", message: "There is no such document." },
} as const;

test("who has no access asks for it, and tries again", async () => {
  const { requests, provider } = openDocument({
    state: closed,
    answer: () => new Response(null, { status: 204 }),
  });
  const before = provider();
  fireEvent.click(screen.getByRole("button", { name: "Ask for access" }));
  await screen.findByText(/its owner sees your request now/);
  expect(requests).toEqual([
    { method: "POST", path: "/api/access-requests", body: { document_id: "abcdefgh" } },
  ]);
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(provider()).not.toBe(before));
});

test("the document opens by itself for who was let in", async () => {
  let isIn = false;
  const { provider } = openDocument({
    state: closed,
    answer: ({ method }) => {
      if (method === "POST") return new Response(null, { status: 204 });
      return isIn ? anyDocument() : refusal("not_found", "There is no such document.", 404);
    },
  });
  const before = provider();
  vi.useFakeTimers();
  fireEvent.click(screen.getByRole("button", { name: "Ask for access" }));
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(provider()).toBe(before);
  isIn = true;
  await act(() => vi.advanceTimersByTimeAsync(5_000));
  expect(provider()).not.toBe(before);
});

test("the owner is told at once that somebody asks, and that somebody else answered", async () => {
  const server = new SharingServer(shared("ann", "owner"));
  const asking: string[] = [];
  const page = openDocument({ state: { role: "owner" }, who: await known(), answer: server.answer, asking });
  fireEvent.click(await screen.findByRole("button", { name: "Share" }));
  await screen.findByRole("list", { name: "People with access" });
  asking.push("Bob");
  page.provider().tells({ accessChanges: 1 });
  await screen.findByRole("list", { name: "Asking for access" });
  expect(screen.getByText("One person asks for access").getAttribute("aria-live")).toBe("polite");
  expect(
    screen.getByRole("button", { name: "Share. One person asks for access", hidden: true }),
  ).toBeTruthy();
  asking.pop();
  server.people.push(shared("bob", "viewer"));
  page.provider().tells({ accessChanges: 2 });
  await screen.findByText("bob");
  await waitFor(() => expect(screen.queryByText("Asking for access")).toBeNull());
});

test("a request that is refused at once says why", async () => {
  openDocument({ state: closed, answer: () => refusal("rate_limited", "Try again in 30 s.", 429) });
  fireEvent.click(screen.getByRole("button", { name: "Ask for access" }));
  await screen.findByText("Your request was not sent. Try again in 30 s.");
  expect(screen.getByRole("button", { name: "Ask for access" })).toBeTruthy();
});

test("the owner sees who asks, lets one in and refuses the other", async () => {
  const server = new SharingServer(shared("ann", "owner"));
  const asking = ["Bob", "Cleo"];
  const refused: string[] = [];
  const answer = (request: Request) => {
    if (!request.path.includes("/requests/")) return server.answer(request);
    refused.push(request.path.split("/").at(-1) ?? "");
    asking.splice(0);
    return new Response(null, { status: 204 });
  };
  openDocument({ state: { role: "owner" }, who: await known(), answer, asking });
  fireEvent.click(await screen.findByRole("button", { name: "Share. 2 people ask for access" }));
  const list = within(await screen.findByRole("list", { name: "Asking for access" }));
  expect(list.getAllByRole("listitem")).toHaveLength(2);
  fireEvent.keyDown(list.getByRole("button", { name: "Let Bob in" }), { key: "Enter" });
  asking.shift();
  fireEvent.click(await screen.findByRole("menuitem", { name: "Editor" }));
  await waitFor(() => expect(server.roles()).toEqual({ ann: "owner", bob: "editor" }));
  await waitFor(() => expect(list.getAllByRole("listitem")).toHaveLength(1));
  fireEvent.click(list.getByRole("button", { name: "Refuse Cleo" }));
  await waitFor(() => expect(refused).toEqual(["cleo"]));
  await waitFor(() => expect(screen.queryByText("Asking for access")).toBeNull());
  expect(screen.getByRole("button", { name: "Share", hidden: true })).toBeTruthy();
});
