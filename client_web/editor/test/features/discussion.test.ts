/** A discussion in step with its server: what is done shows at once, is kept, and reaches the server once. */

import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test } from "vitest";
import { ApiError, NetworkError } from "../../src/api/rest";
import type * as wire from "../../src/api/wire";
import type { DiscussionCalls } from "../../src/features/discussion/calls";
import { Discussion } from "../../src/features/discussion/discussion";
import { keptActs } from "../../src/features/discussion/kept_acts";
import {
  type ActOf,
  type Author,
  mayChange,
  mayDelete,
  passes,
  rightsOf,
  shown,
  wordsOf,
} from "../../src/features/discussion/threads";
import { actsOf } from "../../src/features/discussion/useOutcomes";

const ANN: Author = { user_id: "ann", name: "Ann", kind: "person" };
const BEN: Author = { user_id: "ben", name: "Ben", kind: "person" };
const TIME = "2027-01-01T00:00:00Z";

const words = (text: string): readonly wire.Paragraph[] => [
  { type: "paragraph", content: [{ type: "text", text }] },
];

/** A server that does as docs/comments.md says, and counts how often it was told something new. */
class Server implements DiscussionCalls {
  mayViewersRead = async () => false;
  author = async () => null;
  readonly known = new Map<string, wire.Thread>();
  readonly gone: { readonly id: string; readonly version: number }[] = [];
  /** What authors of suggestions have heard. */
  readonly told: string[] = [];
  version = 0;
  isAway = false;
  /** The next request is done, and its answer lost. */
  losesAnswer = false;
  refusal: ApiError | null = null;
  /** Threads in one answer. */
  most = 100;
  who = ANN;
  requests = 0;
  /** What happens before the next answer is on its way. */
  meanwhile: (() => void) | null = null;

  async #meet<T>(act: () => T): Promise<T> {
    this.requests += 1;
    if (this.isAway) throw new NetworkError("away");
    if (this.refusal) throw this.refusal;
    const answer = structuredClone(act());
    await null;
    this.meanwhile?.();
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new NetworkError("lost");
    }
    return answer;
  }

  #put(thread: wire.Thread): wire.Thread {
    this.version += 1;
    const changed = { ...thread, version: this.version };
    this.known.set(thread.id, changed);
    return changed;
  }

  #find(id: string): wire.Thread {
    const thread = this.known.get(id);
    if (!thread) throw new ApiError("not_found", "There is no such thread.", 404);
    return thread;
  }

  #end(id: string): void {
    this.known.delete(id);
    this.version += 1;
    this.gone.push({ id, version: this.version });
  }

  threads(since: number) {
    return this.#meet(() => {
      const changed = [...this.known.values()]
        .filter(({ version }) => version > since)
        .sort((one, other) => one.version - other.version);
      const told = changed.slice(0, this.most);
      const more = told.length < changed.length;
      return {
        version: more ? (told.at(-1)?.version ?? 0) : this.version,
        threads: told,
        gone: this.gone.filter(({ version }) => version > since).map(({ id }) => id),
        whole: false,
        more,
        viewers: false,
      };
    });
  }

  begin(id: string, body: wire.NewThread) {
    return this.#meet(() => {
      const known = this.known.get(id);
      if (known) return known;
      const comment = {
        ...body.comment,
        ...{ by: this.who, at: TIME, edited_at: null, reactions: [], deleted: false },
      };
      return this.#put({
        ...{ id, kind: "comment", suggestion: null, quote: "", before: "", after: "", version: 0 },
        ...(body.suggestion ? { kind: "suggestion", suggestion: body.suggestion } : {}),
        ...{ state: "open", by: this.who, at: TIME, changed_by: null, changed_at: null, assignee: null },
        comments: [comment],
      });
    });
  }

  change(id: string, { state }: wire.ThreadChange) {
    return this.#meet(() => {
      const thread = this.#find(id);
      return this.#put({ ...thread, state: state ?? thread.state });
    });
  }

  deleteThread(id: string) {
    return this.#meet(() => {
      this.#find(id);
      this.#end(id);
    });
  }

  putComment(id: string, comment: string, { body }: wire.CommentText) {
    return this.#meet(() => {
      const thread = this.#find(id);
      const before = thread.comments.find((each) => each.id === comment);
      if (before && wordsOf(before.body) === wordsOf(body)) return thread;
      const made = {
        ...{ id: comment, by: this.who, at: TIME, edited_at: before ? TIME : null, body, reactions: [] },
        deleted: false,
      };
      const others = thread.comments.filter((each) => each !== before);
      return this.#put({ ...thread, comments: [...others, made] });
    });
  }

  deleteComment(id: string, comment: string) {
    return this.#meet(() => {
      const thread = this.#find(id);
      const comments = thread.comments.filter((each) => each.id !== comment);
      if (comments.length > 0) this.#put({ ...thread, comments });
      else this.#end(id);
    });
  }

  react() {
    return this.#meet(() => null);
  }

  settle(suggestion: string, { outcome, author }: wire.Outcome) {
    return this.#meet(() => {
      this.told.push(`${author}: ${suggestion} ${outcome}`);
      for (const thread of this.known.values()) {
        if (thread.suggestion === suggestion) this.#put({ ...thread, state: "resolved" });
      }
    });
  }

  async mentionable() {
    return [];
  }

  async letViewersRead() {}
}

let server: Server;
let count = 0;

beforeEach(() => {
  server = new Server();
  count += 1;
});

/** A page of the same document on the same device. */
function page(): Discussion {
  return new Discussion(server, keptActs(`document-${count}`), (error) => (error as Error).message);
}

const begin = (thread: string, text: string): ActOf => ({
  kind: "begin",
  thread,
  begun: { quote: "brave", comment: { id: `${thread}-1`, body: words(text) } },
});
const say = (thread: string, comment: string, text: string): ActOf => ({
  kind: "say",
  thread,
  comment,
  body: words(text),
});

function says(discussion: Discussion): readonly string[] {
  return discussion
    .snapshot()
    .threads.map(({ id, comments }) => `${id}: ${comments.map(({ body }) => wordsOf(body)).join(", ")}`);
}

test("what is done shows at once, and reaches the server when it is there", async () => {
  const own = page();
  server.isAway = true;
  await own.act(begin("t1", "one"), ANN);
  await own.act(say("t1", "c2", "two"), ANN);
  await own.send();
  expect(says(own)).toEqual(["t1: one, two"]);
  expect([own.isWaiting, server.known.size]).toEqual([true, 0]);
  server.isAway = false;
  await own.send();
  expect([own.isWaiting, server.version]).toEqual([false, 2]);
  expect(says(own)).toEqual(["t1: one, two"]);
});

test("what was done offline is sent by the next visit, and by no other person's", async () => {
  server.isAway = true;
  const before = page();
  await before.act(begin("t1", "one"), ANN);
  await before.act(say("t1", "c2", "two"), ANN);
  server.isAway = false;
  const stranger = page();
  await stranger.recall("ben");
  await stranger.send();
  expect([says(stranger), server.version]).toEqual([[], 0]);
  const after = page();
  await after.recall("ann");
  expect(says(after)).toEqual(["t1: one, two"]);
  await after.send();
  expect(server.known.get("t1")?.comments.map(({ body }) => wordsOf(body))).toEqual(["one", "two"]);
  // The page that is still open has the same acts, and does not send them again.
  server.who = BEN;
  await server.putComment("t1", "c2", { body: words("changed since") });
  await before.send();
  expect(server.known.get("t1")?.comments.map(({ body }) => wordsOf(body))).toEqual(["one", "changed since"]);
});

test("an answer that was lost is asked for again, and nothing is said twice", async () => {
  const own = page();
  server.losesAnswer = true;
  await own.act(begin("t1", "one"), ANN);
  await own.send();
  expect([own.isWaiting, server.version]).toEqual([true, 1]);
  await own.send();
  expect([own.isWaiting, server.version]).toEqual([false, 1]);
});

test("what the server refuses stays with its reason, and is sent again or dropped", async () => {
  const own = page();
  await own.act(begin("t1", "one"), ANN);
  await own.send();
  server.refusal = new ApiError("forbidden", "Ben may not open the document.", 403);
  await own.act(say("t1", "c2", "for @Ben"), ANN);
  await own.send();
  const refused = () => own.snapshot().threads[0]?.comments[1]?.waiting;
  expect(refused()?.refusal).toBe("Ben may not open the document.");
  expect(own.isWaiting).toBe(false);
  const again = page();
  await again.recall("ann");
  await again.follow();
  expect(again.snapshot().threads).toEqual([]);
  server.refusal = null;
  await again.follow();
  expect(again.snapshot().threads[0]?.comments[1]?.waiting?.refusal).toBe("Ben may not open the document.");
  const act = refused();
  if (act) await own.again(act);
  expect(says(own)).toEqual(["t1: one, for @Ben"]);
  expect(server.known.get("t1")?.comments).toHaveLength(2);
});

test("with a beginning that is dropped, everything that was said behind it goes", async () => {
  const own = page();
  server.refusal = new ApiError("too_many", "A document holds 5,000 threads.", 409);
  await own.act(begin("t1", "one"), ANN);
  await own.act(say("t1", "c2", "two"), ANN);
  await own.send();
  expect(server.requests).toBe(1);
  const [thread] = own.snapshot().threads;
  if (thread?.waiting) await own.drop(thread.waiting);
  expect(own.snapshot().threads).toEqual([]);
  const next = page();
  await next.recall("ann");
  expect(next.snapshot().threads).toEqual([]);
});

const discuss = (thread: string, suggestion: string): ActOf => ({
  kind: "begin",
  thread,
  begun: { kind: "suggestion", suggestion, comment: { id: `${thread}-1`, body: words("why?") } },
});

test("a decision ends what was said about the suggestion, at once and at the server, and its author hears of it", async () => {
  const own = page();
  await own.act(discuss("t1", "s1"), ANN);
  await own.act(discuss("t2", "s2"), ANN);
  await own.send();
  server.isAway = true;
  const outcome = { outcome: "accepted", author: "ben" } as const;
  await own.act({ kind: "settle", thread: null, suggestion: "s1", outcome }, ANN);
  await own.send();
  const states = () => own.snapshot().threads.map(({ state }) => state);
  expect([states(), server.told]).toEqual([["resolved", "open"], []]);
  expect(own.snapshot().threads[0]?.changed_by).toEqual(ANN);
  server.isAway = false;
  const next = page();
  await next.recall("ann");
  await next.send();
  expect([server.told, server.known.get("t1")?.state]).toEqual([["ben: s1 accepted"], "resolved"]);
  await own.follow();
  expect([states(), own.isWaiting]).toEqual([["resolved", "open"], true]);
  await own.send();
  expect([server.told.length, own.isWaiting]).toEqual([1, false]);
});

test("a decision of which the server tells nobody waits for nobody", async () => {
  const own = page();
  server.refusal = new ApiError("forbidden", "You are a commenter.", 403);
  const outcome = { outcome: "rejected", author: "ben" } as const;
  await own.act({ kind: "settle", thread: null, suggestion: "s1", outcome }, ANN);
  await own.send();
  const again = page();
  await again.recall("ann");
  expect([own.isWaiting, again.isWaiting]).toEqual([false, false]);
});

test("of many decisions each author hears once, and of those that were discussed; own ones tell nobody", () => {
  const threads = shown(
    [],
    [discuss("t1", "s1"), discuss("t5", "s5")].map((of) => ({ id: "x", by: ANN, at: TIME, of })),
  );
  const decided = [
    ...[2, 3].map((at) => ({ id: `s${at}`, user: "ben", verdict: "accept" as const })),
    { id: "s1", user: "ben", verdict: "reject" as const },
    ...[4, 5].map((at) => ({ id: `s${at}`, user: "carl", verdict: "reject" as const })),
  ];
  const told = (role: string, own: string) =>
    actsOf(decided, threads, rightsOf(role), own).map((of) =>
      of.kind === "settle"
        ? `${of.suggestion} ${of.outcome.outcome} ${of.outcome.author}`
        : `${of.kind} ${of.thread}`,
    );
  expect(told("editor", "dora")).toEqual([
    "s2 accepted ben",
    "s1 rejected ben",
    "s4 rejected carl",
    "s5 rejected carl",
  ]);
  expect(told("editor", "ben")).toEqual(["s1 rejected ben", "s4 rejected carl", "s5 rejected carl"]);
  expect(told("commenter", "ann")).toEqual(["change t1", "change t5"]);
  expect(told("commenter", "carl")).toEqual([]);
});

test("others' threads are read page by page, and those that are gone go", async () => {
  server.who = BEN;
  for (const id of ["a", "b", "c"]) await server.begin(id, { comment: { id: `${id}-1`, body: words(id) } });
  server.most = 2;
  const own = page();
  await own.follow(server.version);
  expect(says(own)).toEqual(["a: a", "b: b", "c: c"]);
  const before = server.requests;
  await own.follow(server.version);
  expect(server.requests).toBe(before);
  await server.deleteThread("b");
  await own.follow(server.version);
  expect(says(own)).toEqual(["a: a", "c: c"]);
});

test("news that come while somebody reads are read behind", async () => {
  const own = page();
  server.who = BEN;
  const reading = own.follow(1);
  await server.begin("a", { comment: { id: "a-1", body: words("a") } });
  void own.follow(server.version);
  await reading;
  await own.follow();
  expect(says(own)).toEqual(["a: a"]);
});

test("news that come behind an answer that is on its way are read, too", async () => {
  const own = page();
  server.who = BEN;
  await server.begin("a", { comment: { id: "a-1", body: words("a") } });
  await own.follow(1);
  server.version = 2;
  server.meanwhile = () => {
    server.meanwhile = null;
    void server.begin("b", { comment: { id: "b-1", body: words("b") } });
    void own.follow(3);
  };
  await own.follow(2);
  expect(says(own)).toEqual(["a: a", "b: b"]);
});

test("what could not be read is asked for again", async () => {
  const own = page();
  await server.begin("a", { comment: { id: "a-1", body: words("a") } });
  server.refusal = new ApiError("unavailable", "The database is away.", 503);
  await own.follow(1);
  expect([own.isBehind, own.snapshot().isRead]).toEqual([true, false]);
  server.refusal = null;
  await own.follow();
  expect([own.isBehind, says(own)]).toEqual([false, ["a: a"]]);
});

test.each<ActOf>([
  { kind: "delete thread", thread: "t1" },
  { kind: "delete comment", thread: "t1", comment: "t1-1" },
  { kind: "change", thread: "t1", change: { state: "resolved" } },
  { kind: "react", thread: "t1", comment: "t1-1", emoji: "👍", isOn: true },
])("what is refused is not shown as done: $kind", async (of) => {
  const own = page();
  await own.act(begin("t1", "one"), ANN);
  await own.send();
  await own.follow();
  const ended: string[] = [];
  own.onEnded = (thread) => ended.push(thread);
  server.refusal = new ApiError("forbidden", "Somebody has replied.", 403);
  await own.act(of, ANN);
  await own.send();
  const known = server.known.get("t1");
  expect(own.snapshot().threads).toMatchObject([
    { state: "open", comments: known?.comments, waiting: { refusal: "Somebody has replied." } },
  ]);
  expect(ended).toEqual([]);
});

test("a reply to a thread that was deleted meanwhile stays in sight with its reason", async () => {
  const own = page();
  await own.act(begin("t1", "one"), ANN);
  await own.send();
  await server.deleteThread("t1");
  await own.act(say("t1", "c2", "a long answer"), ANN);
  await own.send();
  await own.follow();
  expect(own.snapshot().threads).toMatchObject([
    { id: "t1", comments: [{ id: "c2", waiting: { refusal: "There is no such thread." } }] },
  ]);
  expect(says(own)).toEqual(["t1: a long answer"]);
  const next = page();
  await next.recall("ann");
  await next.follow();
  expect(says(next)).toEqual(["t1: a long answer"]);
  const [act] = next.snapshot().threads[0]?.comments.map(({ waiting }) => waiting) ?? [];
  if (act) await next.drop(act);
  expect(next.snapshot().threads).toEqual([]);
});

test.each<readonly [string, ActOf, readonly string[]]>([
  ["its deletion", { kind: "delete thread", thread: "t1" }, ["t1"]],
  ["the deletion of its last comment", { kind: "delete comment", thread: "t1", comment: "t1-1" }, ["t1"]],
  ["no deletion of a comment among others", { kind: "delete comment", thread: "t2", comment: "t2-1" }, []],
])("a thread ends with %s, when the server has said so", async (_name, of, expected) => {
  const own = page();
  for (const id of ["t1", "t2"]) await own.act(begin(id, id), ANN);
  await own.act(say("t2", "c2", "two"), ANN);
  await own.send();
  await own.follow();
  const ended: string[] = [];
  own.onEnded = (thread) => ended.push(thread);
  server.isAway = true;
  await own.act(of, ANN);
  await own.send();
  expect(ended).toEqual([]);
  server.isAway = false;
  await own.send();
  expect(ended).toEqual(expected);
});

test("a reader who may not read is told so, and sees nothing", async () => {
  const own = page();
  server.refusal = new ApiError("forbidden", "no", 403);
  await own.follow(3);
  expect(own.snapshot()).toMatchObject({ threads: [], mayRead: false });
});

describe("an act on what is known", () => {
  const act = (of: ActOf, by = ANN) => ({ id: "x", by, at: TIME, of });
  const [thread] = shown([], [act(begin("t1", "one"), BEN), act(say("t1", "c2", "two"))]);

  test.each<readonly [string, ActOf, object | undefined]>([
    [
      "resolves",
      { kind: "change", thread: "t1", change: { state: "resolved" } },
      { state: "resolved", changed_by: ANN },
    ],
    ["edits", say("t1", "c2", "2"), { comments: [{}, { edited_at: TIME }] }],
    [
      "reacts",
      { kind: "react", thread: "t1", comment: "c2", emoji: "👍", isOn: true },
      { comments: [{}, { reactions: [{ emoji: "👍", people: [ANN] }] }] },
    ],
    [
      "deletes a comment",
      { kind: "delete comment", thread: "t1", comment: "c2" },
      { comments: [{}, { deleted: true }] },
    ],
    ["deletes all", { kind: "delete thread", thread: "t1" }, undefined],
  ])("%s", (_name, of, expected) => {
    const acts = [act(begin("t1", "one"), BEN), act(say("t1", "c2", "two")), act(of)];
    const [now] = shown([], acts);
    if (expected === undefined) expect(now).toBeUndefined();
    else expect(now).toMatchObject(expected);
  });

  test("a thread is gone with its last comment", () => {
    const acts = [act(begin("t1", "one")), act({ kind: "delete comment", thread: "t1", comment: "t1-1" })];
    expect(shown([], acts)).toEqual([]);
  });

  test("each role may do what docs/comments.md says", () => {
    if (!thread) throw new Error("no thread");
    const may = (role: string, own: string) => {
      const rights = rightsOf(role);
      return [rights.mayWrite, mayChange(thread, rights, own), mayDelete(thread, rights, own)];
    };
    expect(may("viewer", "ben")).toEqual([false, false, false]);
    expect(may("commenter", "ann")).toEqual([true, false, false]);
    expect(may("commenter", "ben")).toEqual([true, true, false]);
    expect(may("editor", "ann")).toEqual([true, true, false]);
    expect(may("owner", "carl")).toEqual([true, true, true]);
  });

  test("mine is what I have written, what names me, and what is assigned to me", () => {
    if (!thread) throw new Error("no thread");
    expect(["ann", "ben", "carl"].map((own) => passes(thread, "mine", own))).toEqual([true, true, false]);
    const mention = { type: "mention", attrs: { id: "carl", label: "Carl" } } as const;
    const [named] = shown(
      [],
      [
        act({
          ...begin("t2", ""),
          begun: { comment: { id: "c", body: [{ type: "paragraph", content: [mention] }] } },
        } as ActOf),
      ],
    );
    expect(named && passes(named, "mine", "carl")).toBe(true);
    expect(
      passes({ ...thread, assignee: { id: "carl", name: "Carl", color: "#000000" } }, "mine", "carl"),
    ).toBe(true);
  });
});
