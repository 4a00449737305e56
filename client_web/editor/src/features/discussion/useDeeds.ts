/** What this person can do with the threads of a document. */

import { annotate, ySyncPluginKey } from "@manyhands/binding";
import type { Provider, Role } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type * as wire from "../../api/wire";
import { piecesOf } from "../../extensions/comment_marks";
import { t } from "../../i18n/t";
import { addressOf } from "../../page/link";
import { peopleIn } from "../../page/usePeople";
import { useToasts } from "../../ui/Toast";
import { personChoice } from "../inserting/mentionChoices";
import { quoteOfSuggestion } from "../suggesting/list";
import type { Deeds } from "./deeds";
import type { Discussion } from "./discussion";
import { LONGEST_QUOTE, placeOf, quoteOf } from "./quotes";
import { type ActOf, type Author, rightsOf } from "./threads";
import { noteKept } from "./useDiscussion";
import { REPLYING } from "./useReplying";

export interface DeedsOptions {
  readonly discussion: Discussion;
  readonly editor: Editor;
  readonly provider: Provider;
  readonly role: Role | null;
  readonly isSynced: boolean;
  readonly author: Author | null;
  readonly leave: () => void;
}

export function useDeeds({
  discussion,
  editor,
  provider,
  role,
  isSynced,
  author,
  leave,
}: DeedsOptions): Deeds {
  const toasts = useToasts();
  const latest = useRef({ toasts, leave, author });
  latest.current = { toasts, leave, author };
  const isOffline = !isSynced;
  const own = author?.user_id ?? null;
  const unmark = useCallback(
    (thread: string) => {
      if (editor.isDestroyed) return;
      for (const piece of piecesOf(editor.state, thread)) {
        annotate(editor.state, { ...piece, isRemoved: true, doc: provider.doc });
      }
    },
    [editor, provider],
  );
  // Not before the server has deleted the thread: somebody may have replied, and then the thread stays.
  useEffect(() => {
    discussion.onEnded = unmark;
  }, [discussion, unmark]);
  return useMemo((): Deeds => {
    // Without the server nobody knows: what is not allowed, the server refuses later.
    const rights = rightsOf(role ?? (isOffline ? "editor" : null));
    const act = (of: ActOf) => {
      const { author: by } = latest.current;
      if (!by) return;
      noteKept(provider.documentId);
      void discussion.act(of, by);
    };
    const tell = (message: string) => void latest.current.toasts.show({ message });
    const findUsers = async (name = "", signal?: AbortSignal): Promise<readonly wire.User[]> => {
      const here = peopleIn(provider.awareness).filter((person) => hasName(person.name, name));
      const others = await discussion.calls.mentionable(name, signal).catch(() => []);
      const known = new Set(others.map(({ id }) => id));
      return [...others, ...here.filter(({ id, isSelf }) => !isSelf && !known.has(id))];
    };
    return {
      rights,
      own,
      isOffline,
      findPeople: async (name, signal) => (await findUsers(name, signal)).map(personChoice),
      findUsers: () => findUsers(),
      reply: (thread, body, assignee) => {
        act({ kind: "say", thread: thread.id, comment: crypto.randomUUID(), body });
        if (assignee) {
          act({ kind: "change", thread: thread.id, change: { assignee: assignee.id }, assignee });
        }
      },
      discuss: (suggestion, body, assignee) =>
        act({
          kind: "begin",
          thread: crypto.randomUUID(),
          begun: {
            kind: "suggestion",
            suggestion: suggestion.id,
            quote: quoteOfSuggestion(editor.state.doc, suggestion).slice(0, LONGEST_QUOTE),
            comment: { id: crypto.randomUUID(), body },
            ...(assignee ? { assignee: assignee.id } : {}),
          },
        }),
      edit: (thread, { id }, body) => act({ kind: "say", thread: thread.id, comment: id, body }),
      react: (thread, { id }, emoji, isOn) =>
        act({ kind: "react", thread: thread.id, comment: id, emoji, isOn }),
      change: (thread, change, assignee) =>
        act({
          kind: "change",
          thread: thread.id,
          change,
          ...(assignee === undefined ? {} : { assignee }),
        }),
      attach: (thread) => {
        const place = ySyncPluginKey.getState(editor.state) ? placeOf(editor.state.doc, thread) : null;
        if (!place) {
          tell(t("These words are nowhere in the text, or more than once."));
          return;
        }
        const user = latest.current.author?.user_id ?? null;
        const mark = editor.schema.mark("comment", { id: thread.id, user });
        annotate(editor.state, { ...place, mark, doc: provider.doc });
        act({ kind: "change", thread: thread.id, change: quoteOf(editor.state.doc, place) });
      },
      deleteComment: (thread, { id }) => act({ kind: "delete comment", thread: thread.id, comment: id }),
      deleteThread: (thread) => act({ kind: "delete thread", thread: thread.id }),
      copyLink: ({ id }) => {
        const address = new URL(addressOf(provider.documentId));
        // The secret of a link is for whoever the owner gives it to.
        address.hash = `thread=${id}`;
        navigator.clipboard.writeText(address.href).then(
          () => tell(t("The link is copied.")),
          () => tell(address.href),
        );
      },
      tellReplying: (thread) => provider.awareness.setLocalStateField(REPLYING, thread),
      again: (refused) => void discussion.again(refused),
      drop: (refused) => {
        if (refused.of.kind === "begin") unmark(refused.of.thread);
        void discussion.drop(refused);
      },
      leave: () => latest.current.leave(),
    };
  }, [discussion, editor, provider, role, isOffline, own, unmark]);
}

function hasName(name: string, wanted: string): boolean {
  return ` ${name.toLowerCase()}`.includes(` ${wanted.trim().toLowerCase()}`);
}
