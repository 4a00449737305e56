/** What the page learns of the person before it, and from whom. */
import { expect, test } from "vitest";
import { type Api, createApi } from "../../src/api/api";
import { createWhoAmI, signInAddress } from "../../src/api/whoAmI";

const GUEST = {
  user: { id: "guest-1", name: "Guest Heron", color: "#0369a1" },
  kind: "guest",
  email: null,
  may_rename: true,
  may_create: true,
  expires_at: null,
};

/** A server whose answers come one after the other; the last one stays. */
function answering(...answers: readonly (readonly [number, unknown] | "nothing")[]): {
  api: Api;
  asked: string[];
} {
  const asked: string[] = [];
  const left = [...answers];
  const api = createApi(async (url, { method = "GET", body }) => {
    asked.push([method, url, body].filter(Boolean).join(" "));
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer === undefined || answer === "nothing") throw new TypeError("Failed to fetch");
    return new Response(JSON.stringify(answer[1]), { status: answer[0] });
  });
  return { api, asked };
}

test("a guest is known, and asked about once however many want to know", async () => {
  const { api, asked } = answering([200, GUEST]);
  const who = createWhoAmI(api);
  let changes = 0;
  who.subscribe(() => {
    changes += 1;
  });
  await Promise.all([who.ask(), who.ask()]);
  await who.ask();
  expect(who.snapshot()).toMatchObject({ kind: "known", me: { kind: "guest", mayRename: true } });
  expect([asked, changes]).toEqual([["GET /api/me"], 1]);
});

test("a guest's name is told to the server", async () => {
  const renamed = { ...GUEST, user: { ...GUEST.user, name: "Ann" } };
  const { api, asked } = answering([200, GUEST], [200, renamed]);
  const who = createWhoAmI(api);
  await who.ask();
  await who.change({ name: "Ann", color: "#0369a1" });
  expect(who.snapshot()).toMatchObject({ me: { user: { name: "Ann" } } });
  expect(asked[1]).toBe('PATCH /api/me {"name":"Ann","color":"#0369a1"}');
});

test("without an answer nothing is known, and the next one asks again", async () => {
  const { api } = answering("nothing", [200, GUEST]);
  const who = createWhoAmI(api);
  await expect(who.ask()).rejects.toThrow("cannot be reached");
  expect(who.snapshot().kind).toBe("unknown");
  await who.ask();
  expect(who.snapshot().kind).toBe("known");
});

test("a server that knows no such question keeps nobody out", async () => {
  const who = createWhoAmI(answering([404, { error: { code: "not_found", message: "No." } }]).api);
  await who.ask();
  expect(who.snapshot().kind).toBe("unknown");
});

const turnedAway = (more: object) =>
  [401, { error: { code: "unauthenticated", message: "Sign in." }, ...more }] as const;

test.each([
  [{ sign_in: "/sign-in" }, "/sign-in?next=%2Fd%2Fabcdefgh"],
  [{ sign_in: "https://elsewhere.example/" }, null],
  [{ sign_in: "//elsewhere.example/" }, null],
  [{}, null],
])("a stranger signs in where the server says, and only on this server: %j", async (more, address) => {
  const who = createWhoAmI(answering(turnedAway(more)).api);
  await who.ask();
  expect(who.snapshot().kind).toBe("stranger");
  expect(signInAddress(who.snapshot(), { pathname: "/d/abcdefgh", search: "" })).toBe(address);
});
