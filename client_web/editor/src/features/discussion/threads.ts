/** Threads as a person sees them: what the server has said, and on top what this person has done since.
 *
 * What a person does is an act. An act is shown at once, kept until the server has taken it, and may
 * be sent twice: ids are made here, and the server does nothing a second time.
 */

import type * as wire from "../../api/wire";

export type Body = readonly wire.Paragraph[];
export type Author = wire.Author;

export type ActOf =
  | { readonly kind: "begin"; readonly thread: string; readonly begun: wire.NewThread }
  | { readonly kind: "say"; readonly thread: string; readonly comment: string; readonly body: Body }
  | {
      readonly kind: "change";
      readonly thread: string;
      readonly change: wire.ThreadChange;
      /** The person whose id `change.assignee` is. */
      readonly assignee?: wire.User | null;
    }
  | {
      readonly kind: "react";
      readonly thread: string;
      readonly comment: string;
      readonly emoji: string;
      readonly isOn: boolean;
    }
  | {
      /** A suggestion was decided on, about which there may be threads. */
      readonly kind: "settle";
      readonly thread: null;
      readonly suggestion: string;
      readonly outcome: wire.Outcome;
    }
  | { readonly kind: "delete comment"; readonly thread: string; readonly comment: string }
  | { readonly kind: "delete thread"; readonly thread: string };

export type ActInThread = Exclude<ActOf, { readonly kind: "settle" }>;

export interface Act {
  readonly id: string;
  readonly by: Author;
  /** ISO 8601. */
  readonly at: string;
  readonly of: ActOf;
  /** Why the server has not taken it; such an act waits for the person. */
  readonly refusal?: string;
}

export interface ShownComment extends wire.Comment {
  /** What the server has not taken yet, of this comment. */
  readonly waiting: Act | null;
}

export interface ShownThread extends Omit<wire.Thread, "comments"> {
  readonly comments: readonly ShownComment[];
  /** What the server has not taken yet, of this thread. */
  readonly waiting: Act | null;
}

/**
 * Returns the threads with all acts done, the oldest thread first. `isRead`: `known` is all that the
 * server has. Then a refused reply to a thread that is gone stands in a thread of its own.
 */
export function shown(
  known: Iterable<wire.Thread>,
  acts: readonly Act[],
  isRead = false,
): readonly ShownThread[] {
  const threads = new Map<string, ShownThread>();
  for (const thread of known) threads.set(thread.id, plain(thread));
  for (const act of acts) {
    const { of } = act;
    if (of.kind === "settle") {
      for (const thread of threads.values()) {
        if (thread.suggestion === of.suggestion) threads.set(thread.id, resolved(thread, act));
      }
      continue;
    }
    const thread = threads.get(of.thread) ?? null;
    const done = act.refusal === undefined ? withAct(thread, of, act) : withRefused(thread, of, act, isRead);
    if (done) threads.set(of.thread, done);
    else threads.delete(of.thread);
  }
  return [...threads.values()].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

const plains = new WeakMap<wire.Thread, ShownThread>();

/** The same object for the same thread, so that what shows it need not be drawn anew. */
function plain(thread: wire.Thread): ShownThread {
  const known = plains.get(thread);
  if (known) return known;
  const comments = thread.comments.map((comment) => ({ ...comment, waiting: null }));
  const made = { ...thread, comments, waiting: null };
  plains.set(thread, made);
  return made;
}

/** Returns null for a thread that is gone, or that was not there. */
function withAct(thread: ShownThread | null, of: ActInThread, act: Act): ShownThread | null {
  if (of.kind === "begin") return thread ?? begun(of, act);
  if (!thread || of.kind === "delete thread") return null;
  switch (of.kind) {
    case "change":
      return changed(thread, of, act);
    case "say": {
      const before = thread.comments.find(({ id }) => id === of.comment);
      if (!before) {
        const state = thread.comments.length > 0 ? "open" : thread.state;
        return { ...thread, state, comments: [...thread.comments, said(of.comment, of.body, act)] };
      }
      return withComment(thread, of.comment, { body: of.body, edited_at: act.at, waiting: act });
    }
    case "react":
      return withComment(thread, of.comment, null, (comment) => reacted(comment, of, act));
    case "delete comment": {
      const others = thread.comments.filter(({ id, deleted }) => id !== of.comment && !deleted);
      if (others.length === 0) return null;
      return withComment(thread, of.comment, { deleted: true, body: [], reactions: [], waiting: act });
    }
  }
}

/** Words that were refused stay in sight. Whatever else was refused is not done, and says so. */
function withRefused(
  thread: ShownThread | null,
  of: ActInThread,
  act: Act,
  isRead: boolean,
): ShownThread | null {
  if (thread) return of.kind === "say" ? withAct(thread, of, act) : { ...thread, waiting: act };
  if (of.kind === "begin") return begun(of, act);
  if (of.kind !== "say" || !isRead) return null;
  const alone = { id: of.comment, body: of.body };
  return { ...begun({ kind: "begin", thread: of.thread, begun: { comment: alone } }, act), waiting: null };
}

function begun({ thread, begun: given }: ActOf & { kind: "begin" }, act: Act): ShownThread {
  const { comment, kind = "comment", suggestion = null, quote = "", before = "", after = "" } = given;
  return {
    ...{ id: thread, kind, suggestion, quote, before, after },
    ...{ state: "open", by: act.by, at: act.at, changed_by: null, changed_at: null, assignee: null },
    ...{ comments: [said(comment.id, comment.body, act)], version: 0, waiting: act },
  };
}

function said(id: string, body: Body, act: Act): ShownComment {
  return { id, by: act.by, at: act.at, edited_at: null, body, reactions: [], deleted: false, waiting: act };
}

function changed(
  thread: ShownThread,
  { change, assignee }: ActOf & { kind: "change" },
  act: Act,
): ShownThread {
  const { state = thread.state, quote = thread.quote, before = thread.before, after = thread.after } = change;
  const isTurned = state !== thread.state;
  return {
    ...thread,
    ...{ state, quote, before, after, waiting: act },
    assignee: assignee === undefined ? thread.assignee : assignee,
    changed_by: isTurned ? act.by : thread.changed_by,
    changed_at: isTurned ? act.at : thread.changed_at,
  };
}

function resolved(thread: ShownThread, { by, at }: Act): ShownThread {
  return thread.state === "resolved"
    ? thread
    : { ...thread, state: "resolved", changed_by: by, changed_at: at };
}

function withComment(
  thread: ShownThread,
  id: string,
  change: Partial<ShownComment> | null,
  turn: (comment: ShownComment) => ShownComment = (comment) => ({ ...comment, ...change }),
): ShownThread {
  return { ...thread, comments: thread.comments.map((each) => (each.id === id ? turn(each) : each)) };
}

function reacted(comment: ShownComment, { emoji, isOn }: ActOf & { kind: "react" }, act: Act): ShownComment {
  const before = comment.reactions.find((each) => each.emoji === emoji)?.people ?? [];
  const others = before.filter(({ user_id }) => user_id !== act.by.user_id);
  const people = isOn ? [...others, act.by] : others;
  const isKnown = comment.reactions.some((each) => each.emoji === emoji);
  const all = isKnown
    ? comment.reactions.map((each) => (each.emoji === emoji ? { emoji, people } : each))
    : [...comment.reactions, { emoji, people }];
  return { ...comment, reactions: all.filter((each) => each.people.length > 0) };
}

export type Filter = "open" | "resolved" | "mine";

/** Whether a thread is one that a filter asks for; `own` is this person's id. */
export function passes(thread: ShownThread, filter: Filter, own: string | null): boolean {
  if (filter !== "mine") return thread.state === filter;
  return (
    own !== null &&
    (thread.assignee?.id === own ||
      thread.comments.some(({ by, body }) => by.user_id === own || mentionsOf(body).includes(own)))
  );
}

/** The ids of the people whom a comment mentions. */
export function mentionsOf(body: Body): readonly string[] {
  return body.flatMap(({ content = [] }) =>
    content.flatMap((part) => (part.type === "mention" ? [part.attrs.id] : [])),
  );
}

/** The words of a comment, in one line. */
export function wordsOf(body: Body): string {
  return body
    .map(({ content = [] }) =>
      content.map((part) => (part.type === "text" ? part.text : `@${part.attrs.label ?? ""}`)).join(""),
    )
    .join(" ");
}

export interface Rights {
  /** Whether this person takes part: replies, reacts, begins threads. */
  readonly mayWrite: boolean;
  /** Resolve, reopen, assign and attach any thread, and not only one's own. */
  readonly mayChangeAll: boolean;
  readonly mayDeleteAll: boolean;
}

export const NO_RIGHTS: Rights = { mayWrite: false, mayChangeAll: false, mayDeleteAll: false };

export function rightsOf(role: string | null): Rights {
  return {
    mayWrite: role === "owner" || role === "editor" || role === "commenter",
    mayChangeAll: role === "owner" || role === "editor",
    mayDeleteAll: role === "owner",
  };
}

export function mayChange(thread: ShownThread, rights: Rights, own: string | null): boolean {
  return rights.mayChangeAll || (rights.mayWrite && thread.by.user_id === own);
}

export function mayDelete(thread: ShownThread, rights: Rights, own: string | null): boolean {
  const isAlone = thread.comments.every(({ by, deleted }) => deleted || by.user_id === own);
  return rights.mayDeleteAll || (rights.mayWrite && thread.by.user_id === own && isAlone);
}
