/** What waits on this device for the server. */
import { beforeEach, expect, test } from "vitest";
import { ApiError, NetworkError } from "../../src/api/rest";
import { deliver, keepTitle, makeHere, waitingFor } from "../../src/api/waiting";

beforeEach(() => localStorage.clear());

type Call = readonly [kind: string, ...given: unknown[]];

/** A server that notes what it is asked, and fails while `failure` is set. */
function server() {
  const calls: Call[] = [];
  const house = { failure: null as unknown, during: (): void => undefined };
  const answer = async (...call: Call) => {
    calls.push(call);
    house.during();
    if (house.failure) throw house.failure;
    return {} as never;
  };
  const api = {
    createDocument: (title?: string, secret?: string) => answer("create", title, secret),
    renameDocument: (id: string, title: string) => answer("rename", id, title),
  };
  return { api, calls, house };
}

const newOne = async () => (await makeHere()) ?? "";

test("a document that is made here has an id as the server makes them, and waits with its secret", async () => {
  const [one, other] = [await newOne(), await newOne()];
  expect(one).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(one).not.toBe(other);
  expect(waitingFor(one)?.secret).toMatch(/^[A-Za-z0-9_-]{32}$/);
});

test("it is made under its secret with its title, once, also when two ask at once", async () => {
  const { api, calls } = server();
  const id = await newOne();
  const secret = waitingFor(id)?.secret;
  keepTitle(id, "On the train");
  await Promise.all([deliver(api, id), deliver(api, id)]);
  await deliver(api, id);
  expect(calls).toEqual([["create", "On the train", secret]]);
  expect(waitingFor(id)).toBeNull();
});

test("a title that changes while the document is being made waits on, and is sent then", async () => {
  const { api, calls, house } = server();
  const id = await newOne();
  house.during = () => void keepTitle(id, "Later");
  await deliver(api, id);
  expect(waitingFor(id)).toEqual({ title: "Later" });
  house.during = () => undefined;
  await deliver(api, id);
  expect(calls.at(-1)).toEqual(["rename", id, "Later"]);
  expect(waitingFor(id)).toBeNull();
});

test.each([
  [new NetworkError("away"), true],
  [new ApiError("rate_limited", "Wait.", 429), true],
  [new ApiError("forbidden", "You may not.", 403), false],
])("after %s a title waits: %s", async (failure, waits) => {
  const { api, house } = server();
  house.failure = failure;
  keepTitle("abcdefgh", "Plans");
  await expect(deliver(api, "abcdefgh")).rejects.toBe(failure);
  expect(waitingFor("abcdefgh") !== null).toBe(waits);
});

test("a new document that is refused stays here", async () => {
  const { api, house } = server();
  house.failure = new ApiError("too_many", "Delete some first.", 429);
  const id = await newOne();
  await expect(deliver(api, id)).rejects.toBe(house.failure);
  expect(waitingFor(id)?.secret).toBeDefined();
});

test("what is no list of waiting things counts as none", () => {
  for (const text of ["[", "7", '{"abcdefgh":{"title":7},"hgfedcba":3}']) {
    localStorage.setItem("manyhands:waiting", text);
    expect(waitingFor("abcdefgh") ?? waitingFor("hgfedcba")).toBeNull();
  }
});
