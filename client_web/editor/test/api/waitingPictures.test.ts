/** Pictures that wait on this device for the server, in a browser whose cache is in memory. */
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, NetworkError } from "../../src/api/rest";
import { keepPictures, keepTitle, waitingFor } from "../../src/api/waiting";
import { deliverPictures } from "../../src/api/waitingPictures";

const kept = new Map<string, string>();

beforeEach(() => {
  localStorage.clear();
  kept.clear();
  const cache = {
    match: async (url: string) => (kept.has(url) ? new Response(kept.get(url)) : undefined),
    delete: async (url: string) => kept.delete(url),
  };
  vi.stubGlobal("caches", { open: async () => cache });
  return () => vi.unstubAllGlobals();
});

/** Keeps pictures whose bytes are their names. */
function keep(...names: readonly string[]): void {
  for (const name of names) kept.set(name, name);
  keepPictures("abcdefgh", names);
}

async function deliver(answer: (bytes: string) => unknown) {
  const [sent, refused]: [string[], unknown[]] = [[], []];
  const uploadAttachment = async (_id: string, image: Blob) => {
    sent.push(await image.text());
    return answer(sent.at(-1) ?? "") as never;
  };
  const outcome = deliverPictures({ uploadAttachment }, "abcdefgh", (reason) => refused.push(reason));
  return { sent, refused, error: await outcome.then(() => null, String) };
}

const fail = (error: Error) => {
  throw error;
};

test("they are sent in their order, and wait no more", async () => {
  keep("one", "two");
  keepTitle("abcdefgh", "Plans");
  expect(await deliver(() => ({}))).toEqual({ sent: ["one", "two"], refused: [], error: null });
  expect(waitingFor("abcdefgh")).toEqual({ title: "Plans" });
  expect(kept.size).toBe(0);
});

test("those that the server was not reached for wait on", async () => {
  keep("one", "two");
  const { error } = await deliver((bytes) => bytes === "two" && fail(new NetworkError("away")));
  expect(error).toMatch(/cannot be reached/);
  expect(waitingFor("abcdefgh")).toEqual({ pictures: ["two"] });
  expect([...kept.keys()]).toEqual(["two"]);
});

test("one that the server does not take is said, and holds up no other", async () => {
  keep("large", "small");
  const tooLarge = new ApiError("too_large", "A picture has at most 10 MB.", 413);
  const { sent, refused } = await deliver((bytes) => bytes === "large" && fail(tooLarge));
  expect([sent, refused]).toEqual([["large", "small"], [tooLarge]]);
  expect(waitingFor("abcdefgh")).toBeNull();
});

test("one that the browser has thrown away is said", async () => {
  keepPictures("abcdefgh", ["gone"]);
  const { sent, refused } = await deliver(() => ({}));
  expect([sent, String(refused)]).toEqual([[], "Error: The browser has thrown it away."]);
});
