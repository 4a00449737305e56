/** The provider as applications use it, against the real server: its events, its promises, and the reasons that it gives. */

import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ProviderOptions } from "../../src/index.js";
import { ManyhandsProvider, type Trouble } from "../../src/index.js";
import { ask, newDocument, sharedServer, throughProxy, tokenFor, WITH_TOKENS } from "./server.js";

type Given = Partial<ProviderOptions> & { readonly documentId: string; readonly url: string };

function opens(options: Given): ManyhandsProvider {
  const provider = new ManyhandsProvider({ offline: false, ...options });
  onTestFinished(() => provider.destroy());
  return provider;
}

const guests = sharedServer();
const withTokens = sharedServer(WITH_TOKENS);
const slow = sharedServer({ UPDATE_RATE: "1/2" });

const comes = (what: () => unknown) => vi.waitUntil(what, { interval: 5, timeout: 60_000 });

const wordsOf = ({ doc }: ManyhandsProvider) => doc.getText("t").toString();

function types(provider: ManyhandsProvider, words: string): void {
  provider.doc.getText("t").insert(0, words);
}

/** The trouble that the provider comes to have. */
function trouble(provider: ManyhandsProvider): Promise<Trouble> {
  return comes(() => provider.snapshot().trouble) as Promise<Trouble>;
}

/** The reasons of the provider's troubles, one after the other; undefined: none. */
function reasonsOf(provider: ManyhandsProvider): readonly (string | undefined)[] {
  const reasons: (string | undefined)[] = [];
  provider.on("trouble", (found) => reasons.push(found?.reason));
  return reasons;
}

describe("a provider", () => {
  it("tells what happens by the events that other providers of Yjs have", async () => {
    const url = guests();
    const provider = opens({ url, documentId: await newDocument(url), connect: false });
    const told: unknown[] = [];
    provider.on("status", ({ status }) => told.push(status));
    provider.on("sync", (isSynced) => told.push(["sync", isSynced]));
    provider.on("synced", (isSynced) => told.push(["synced", isSynced]));
    provider.once("connection-close", (why, closed) =>
      told.push(["connection-close", why, closed === provider]),
    );
    const never = () => told.push("never");
    provider.on("saved", never);
    provider.off("saved", never);
    provider.once("saved", () => told.push(["saved", provider.snapshot().unsaved]));

    types(provider, "before ");
    expect([provider.synced, provider.document, provider.snapshot().trouble]).toEqual([
      false,
      provider.doc,
      null,
    ]);
    provider.connect();
    await provider.whenSynced;
    expect(provider.synced).toBe(true);
    await comes(() => provider.snapshot().unsaved === 0);
    provider.disconnect();
    expect(provider.snapshot()).toMatchObject({ status: "offline", trouble: null });
    expect(told).toEqual([
      "connecting",
      "connected",
      ["synced", true],
      ["sync", true],
      ["saved", 0],
      "disconnected",
      ["connection-close", null, true],
      ["synced", false],
      ["sync", false],
    ]);
  });

  it("tells the others what nobody keeps, and is told why that cannot be", async () => {
    const url = guests();
    const documentId = await newDocument(url);
    const [anna, bert] = [opens({ url, documentId }), opens({ url, documentId })];
    const heard: unknown[] = [];
    for (const page of [anna, bert]) {
      page.on("broadcast", (payload, user) => heard.push([page === bert, payload, user.name]));
      await page.whenSynced;
    }
    await anna.broadcast("☂");
    await comes(() => heard.length > 0);
    await expect(anna.broadcast("x".repeat(65_537))).rejects.toMatchObject({ code: "too_large" });
    await anna.broadcast("again");
    await comes(() => heard.length > 1);
    expect(heard).toEqual([
      [true, "☂", "Guest"],
      [true, "again", "Guest"],
    ]);
  });

  it("keeps what is written after disconnect() until connect()", async () => {
    const url = guests();
    const documentId = await newDocument(url);
    const [alice, bob] = [opens({ url, documentId }), opens({ url, documentId })];
    await Promise.all([alice.whenSynced, bob.whenSynced]);
    alice.disconnect();
    types(alice, "alone");
    types(bob, "there ");
    await comes(() => bob.snapshot().unsaved === 0);
    expect([wordsOf(alice), wordsOf(bob), alice.snapshot().unsaved]).toEqual(["alone", "there ", 1]);
    alice.connect();
    await comes(() => wordsOf(alice) === wordsOf(bob) && alice.snapshot().unsaved === 0);
    expect(wordsOf(bob)).toMatch(/^(alonethere |there alone)$/);
  });

  it("rejects whenSynced when the session is over before, or the provider", async () => {
    const url = guests();
    const stranger = opens({ url, documentId: "no-such-document" });
    await expect(stranger.whenSynced).rejects.toThrow(/document/);
    const ended = opens({ url, documentId: "no-such-document", connect: false });
    const waiting = expect(ended.whenSynced).rejects.toThrow("ended");
    const gone = vi.fn();
    ended.on("destroy", gone);
    await ended.destroy();
    await waiting;
    expect(gone).toHaveBeenCalledOnce();
  });

  it("shows others what the awareness says of a person, and goes on when something is not taken", async () => {
    const url = guests();
    const documentId = await newDocument(url);
    const [alice, bob] = [opens({ url, documentId }), opens({ url, documentId })];
    await Promise.all([alice.whenSynced, bob.whenSynced]);
    const seen = () => bob.awareness.getStates().get(alice.doc.clientID);
    const refused: string[] = [];
    alice.on("presence-refused", ({ code }) => refused.push(code));
    const user = { name: "Alice", color: "#00695c", avatar: "https://example.org/a.png", role: "author" };
    alice.awareness.setLocalStateField("user", user);
    alice.awareness.setLocalStateField("cursor", { anchor: 1 });
    await comes(() => seen()?.user.name === "Alice" && seen()?.cursor !== undefined);
    expect(seen()).toEqual({ cursor: { anchor: 1 }, user: { ...user, id: expect.any(String) } });

    for (const [count, value] of ["x".repeat(5000), 1n, "\ud800"].entries()) {
      alice.awareness.setLocalStateField("note", value);
      await comes(() => refused.length === count + 1);
    }
    expect(refused).toEqual(["too_large", "malformed", "malformed"]);
    expect(seen()?.note).toBeUndefined();
    alice.awareness.setLocalStateField("note", "short");
    await comes(() => seen()?.note === "short");
    types(alice, "still here");
    await comes(() => wordsOf(bob) === "still here");
  });

  it("takes a token, a function or an asynchronous function, and asks again for each connection", async () => {
    const url = withTokens();
    const documentId = await newDocument(url, tokenFor("alice"));
    const asked = vi.fn(() => tokenFor("alice"));
    for (const token of [tokenFor("alice"), asked, async () => asked()]) {
      const provider = opens({ url, documentId, token });
      await provider.whenSynced;
      expect(provider.snapshot().role).toBe("owner");
      const before = asked.mock.calls.length;
      provider.disconnect();
      provider.connect();
      await comes(() => provider.synced);
      expect(asked.mock.calls.length - before).toBe(typeof token === "string" ? 0 : 1);
    }
  });
});

describe("a provider says why", () => {
  it("when it is refused for its origin, its host or its token", async () => {
    const url = withTokens();
    const documentId = await newDocument(url, tokenFor("alice"));
    const origin = await throughProxy(url, "Origin: https://elsewhere.example");
    expect(await trouble(opens({ url: origin, documentId, token: tokenFor("alice") }))).toMatchObject({
      reason: "wrong_origin",
      concerns: "connection",
      message: expect.stringContaining("MANYHANDS_ALLOWED_ORIGINS"),
      todo: "tell_operator",
      retries: true,
    });
    const host = await throughProxy(url, "Host: elsewhere.example");
    expect(await trouble(opens({ url: host, documentId, token: tokenFor("alice") }))).toMatchObject({
      reason: "wrong_host",
      concerns: "connection",
      todo: "tell_operator",
      retries: true,
    });
    const signedOut = { reason: "unauthenticated", concerns: "document", todo: "sign_in", retries: false };
    for (const token of [tokenFor("alice", {}, -60), () => "no token at all"])
      expect(await trouble(opens({ url, documentId, token }))).toMatchObject(signedOut);
  });

  it("when the token was refused, and opens the document with a better one", async () => {
    const url = withTokens();
    const documentId = await newDocument(url, tokenFor("alice"));
    let token = "nonsense";
    const provider = opens({ url, documentId, token: () => token });
    await trouble(provider);
    types(provider, "kept ");
    token = tokenFor("alice");
    provider.connect();
    await comes(() => provider.synced && provider.snapshot().unsaved === 0);
    expect(provider.snapshot()).toMatchObject({ trouble: null, closed: null });
  });

  it("when no server answers", async () => {
    const proxy = await throughProxy("http://127.0.0.1:1", "Via: 1.1 nobody");
    const provider = opens({ url: proxy, documentId: "some-document" });
    const reasons = reasonsOf(provider);
    expect(await trouble(provider)).toMatchObject({ reason: "unreachable", todo: "wait", retries: true });
    expect(reasons).toEqual(["unreachable"]);
  });

  it("when it is too fast, and saves everything all the same", async () => {
    const url = slow();
    const provider = opens({ url, documentId: await newDocument(url), gatherTime: 0 });
    await provider.whenSynced;
    const reasons = reasonsOf(provider);
    for (let word = 0; word < 4; word++) {
      types(provider, `${word} `);
      await new Promise((resolve) => setTimeout(resolve, 1)); // the gathering ends
    }
    expect(await trouble(provider)).toMatchObject({
      reason: "rate_limited",
      concerns: "changes",
      todo: "wait",
      retries: true,
    });
    await comes(() => provider.snapshot().unsaved === 0);
    expect(provider.snapshot().trouble).toBeNull();
    expect([reasons[0], reasons.at(-1)]).toEqual(["rate_limited", undefined]);
  });

  it("when a change is refused", async () => {
    const url = withTokens();
    const documentId = await newDocument(url, tokenFor("alice"));
    const reader = opens({
      url,
      documentId,
      token: tokenFor("bob", { documents: { [documentId]: "viewer" } }),
    });
    await reader.whenSynced;
    types(reader, "not allowed");
    expect(await trouble(reader)).toMatchObject({
      reason: "forbidden",
      concerns: "changes",
      todo: "keep_copy",
      retries: false,
    });
    const writer = opens({ url, documentId, token: tokenFor("alice") });
    await writer.whenSynced;
    writer.doc.getMap("m").set("__proto__", 1);
    expect(await trouble(writer)).toMatchObject({ reason: "unsupported_content", todo: "keep_copy" });
  });

  it("when the document is closed", async () => {
    const url = withTokens();
    const owner = tokenFor("alice");
    const documentId = await newDocument(url, owner);
    const stranger = opens({ url, documentId, token: tokenFor("bob") });
    expect(await trouble(stranger)).toMatchObject({
      reason: "not_found",
      concerns: "document",
      todo: "ask_owner",
    });
    const provider = opens({ url, documentId, token: owner });
    await provider.whenSynced;
    await ask(url, "POST", `/api/documents/${documentId}/trash`, undefined, owner);
    await ask(url, "DELETE", `/api/documents/${documentId}`, undefined, owner);
    expect(await trouble(provider)).toMatchObject({
      reason: "deleted",
      concerns: "document",
      todo: "keep_copy",
      retries: false,
    });
  });
});
