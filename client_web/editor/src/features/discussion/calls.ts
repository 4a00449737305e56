/** The discussion of a document over REST. Nobody needs these calls before there is a discussion. */

import { type Call, isRecord } from "../../api/rest";
import type * as wire from "../../api/wire";

export interface DiscussionCalls {
  /** Threads that have changed since a version of the discussion; 0 asks for everything. */
  readonly threads: (since: number) => Promise<wire.Threads>;
  readonly begin: (thread: string, body: wire.NewThread) => Promise<wire.Thread>;
  readonly change: (thread: string, body: wire.ThreadChange) => Promise<wire.Thread>;
  readonly deleteThread: (thread: string) => Promise<void>;
  readonly putComment: (thread: string, comment: string, body: wire.CommentText) => Promise<wire.Thread>;
  readonly deleteComment: (thread: string, comment: string) => Promise<void>;
  readonly react: (thread: string, comment: string, emoji: string, isOn: boolean) => Promise<unknown>;
  /** Tells the author of a suggestion what became of it, and resolves its threads. */
  readonly settle: (suggestion: string, outcome: wire.Outcome) => Promise<void>;
  readonly mentionable: (name: string, signal?: AbortSignal) => Promise<readonly wire.User[]>;
  /** Somebody whose id stands in the document; null if the server knows nobody by that id here. */
  readonly author: (user: string) => Promise<wire.User | null>;
  /** Whether viewers may read the discussion. */
  readonly mayViewersRead: () => Promise<boolean>;
  readonly letViewersRead: (allowed: boolean) => Promise<void>;
}

export function discussionCalls(call: Call, documentId: string): DiscussionCalls {
  const path = (...rest: readonly string[]) =>
    ["/api/documents", documentId, ...rest]
      .map((part, at) => (at === 0 ? part : encodeURIComponent(part)))
      .join("/");
  const thread = (id: string) => path("threads", id);
  const comment = (id: string, inner: string) => path("threads", id, "comments", inner);
  return {
    threads: async (since) => (await call(`${path("threads")}?since=${since}`)) as wire.Threads,
    begin: async (id, body) => (await call(thread(id), { method: "PUT", body })) as wire.Thread,
    change: async (id, body) => (await call(thread(id), { method: "PATCH", body })) as wire.Thread,
    deleteThread: async (id) => {
      await call(thread(id), { method: "DELETE" });
    },
    putComment: async (id, inner, body) =>
      (await call(comment(id, inner), { method: "PUT", body })) as wire.Thread,
    deleteComment: async (id, inner) => {
      await call(comment(id, inner), { method: "DELETE" });
    },
    react: (id, inner, emoji, isOn) =>
      call(`${comment(id, inner)}/reactions/${encodeURIComponent(emoji)}`, {
        method: isOn ? "PUT" : "DELETE",
      }),
    settle: async (suggestion, body) => {
      await call(path("suggestions", suggestion, "outcome"), { method: "POST", body });
    },
    mentionable: async (name, signal) => {
      const answer = await call(`${path("mentionable")}?${new URLSearchParams({ query: name })}`, { signal });
      return isRecord<wire.Mentionable>(answer) && Array.isArray(answer.people) ? answer.people : [];
    },
    author: async (user) => {
      const answer = await call(path("authors", user));
      const person = isRecord<wire.KnownAuthor>(answer) ? answer.person : null;
      if (!isRecord<wire.User>(person)) return null;
      const { id, name, color } = person;
      return { id: String(id), name: String(name), color: String(color) };
    },
    mayViewersRead: async () => ((await call(path("discussion"))) as wire.DiscussionRule).viewers,
    letViewersRead: async (viewers) => {
      await call(path("discussion"), { method: "PUT", body: { viewers } satisfies wire.DiscussionRule });
    },
  };
}
