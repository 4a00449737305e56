/** The API client: what it asks, and who is to blame for what comes back. */
import { expect, test } from "vitest";
import { ApiError, createApi, explain, NetworkError } from "../../src/api/api";

const ENTRY = {
  id: "document-1",
  title: "Plan",
  created_at: "2026-01-05T09:00:00Z",
  updated_at: "2026-01-05T10:00:00Z",
  trashed_at: null,
  size: 12,
};

/** An API whose server gives one answer, and the requests that it got. */
function answering(status: number, body: string) {
  const requests: { readonly url: string; readonly init: RequestInit }[] = [];
  const api = createApi(async (url, init) => {
    requests.push({ url, init });
    return new Response(status === 204 ? null : body, { status });
  });
  return { api, requests };
}

const failure = (call: Promise<unknown>) => call.then(() => undefined).catch((error: unknown) => error);

test("a document's times become dates", async () => {
  const { api, requests } = answering(201, JSON.stringify(ENTRY));
  const document = await api.createDocument("Plan");
  expect(document.updatedAt).toEqual(new Date("2026-01-05T10:00:00Z"));
  expect(document.trashedAt).toBeNull();
  expect(requests[0]?.init).toMatchObject({ method: "POST", body: '{"title":"Plan"}' });
});

test("a search asks for exactly what was meant", async () => {
  const { api, requests } = answering(200, '{"documents": [], "cursor": null}');
  await api.listDocuments({ query: "a&b=ü", limit: 5, cursor: "x y" });
  const asked = new URL(requests[0]?.url ?? "", "http://server");
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    trashed: "false",
    query: "a&b=ü",
    limit: "5",
    cursor: "x y",
  });
});

test("a strange id stays inside its part of the address", async () => {
  const { api, requests } = answering(200, JSON.stringify(ENTRY));
  await api.getDocument("../health?");
  expect(requests[0]?.url).toBe("/api/documents/..%2Fhealth%3F");
});

test("deleting has an answer without a body", async () => {
  await expect(answering(204, "").api.deleteDocument("document-1")).resolves.toBeUndefined();
});

test("an image is uploaded as its own bytes", async () => {
  const answer = { url: "/api/a", sha256: "00", media_type: "image/png", size: 3, width: 2, height: 1 };
  const { api, requests } = answering(201, JSON.stringify(answer));
  const image = new Blob(["png"], { type: "image/png" });
  expect(await api.uploadAttachment("document-1", image)).toMatchObject({ mediaType: "image/png", width: 2 });
  expect(requests[0]?.init.body).toBe(image);
});

test("a refusal keeps the server's code, words and status", async () => {
  const { api } = answering(413, '{"error": {"code": "too_large", "message": "The title is too long."}}');
  const error = await failure(api.renameDocument("document-1", "…"));
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: "too_large", status: 413 });
  expect(explain(error)).toBe("The title is too long.");
});

test.each([
  [200, "[]"],
  [200, '{"id": 7}'],
  [500, '{"error": "oh"}'],
])("an answer of no known form is refused: %i %s", async (status, body) => {
  const error = await failure(answering(status, body).api.getDocument("document-1"));
  expect(error).toMatchObject({ name: "ApiError", code: "bad_answer", status });
});

test.each([
  [200, "<html>Sign in to the hotel's network</html>"],
  [200, ""],
  [403, "Blocked by the firewall"],
  [502, "<html>Bad gateway</html>"],
  [511, "<html>Network authentication required</html>"],
])("an answer that is no JSON comes from the network, not from the server: %i %s", async (status, body) => {
  const error = await failure(answering(status, body).api.getDocument("document-1"));
  expect(error).toMatchObject({ name: "NetworkError", intercepted: true });
  expect(explain(error)).toContain("in the server's place");
});

test("no answer is a network failure, not the server's", async () => {
  const api = createApi(() => Promise.reject(new TypeError("Failed to fetch")));
  const error = await failure(api.listDocuments());
  expect(error).toBeInstanceOf(NetworkError);
  expect(explain(error)).toContain("cannot be reached");
});

test("the caller's own abort is passed on as it is", async () => {
  const abort = new AbortController();
  const api = createApi((_, init) => {
    abort.abort(new Error("another question"));
    return Promise.reject(init.signal?.reason);
  });
  expect(await failure(api.listDocuments({ signal: abort.signal }))).toMatchObject({
    message: "another question",
  });
});
