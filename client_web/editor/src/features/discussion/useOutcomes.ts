/** Tells the authors of suggestions what became of these, and ends what was said about them. */

import type { Editor } from "@tiptap/core";
import type { Transaction } from "@tiptap/pm/state";
import { useEffect, useRef, useState } from "react";
import { t } from "../../i18n/t";
import { type Decided, decidedIn } from "../suggesting/settling";
import type { Discussion } from "./discussion";
import { type ActOf, type Author, mayChange, type Rights, type ShownThread } from "./threads";
import { noteKept } from "./useDiscussion";

export interface OutcomesOptions {
  readonly editor: Editor;
  readonly discussion: Discussion;
  readonly documentId: string;
  readonly rights: Rights;
  readonly author: Author | null;
}

/** Returns what has just been decided, in words. */
export function useOutcomes(options: OutcomesOptions): string {
  const { editor } = options;
  const [said, setSaid] = useState("");
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    const look = ({ transaction }: { readonly transaction: Transaction }) => {
      const decided = decidedIn(transaction);
      const { discussion, documentId, rights, author } = latest.current;
      const [first] = decided;
      if (!first) return;
      setSaid(first.verdict === "accept" ? t("Accepted.") : t("Rejected."));
      if (!author) return;
      const { threads } = discussion.snapshot();
      for (const act of actsOf(decided, threads, rights, author.user_id)) {
        noteKept(documentId);
        void discussion.act(act, author);
      }
    };
    editor.on("transaction", look);
    return () => {
      editor.off("transaction", look);
    };
  }, [editor]);
  return said;
}

/**
 * What follows from decisions. Of many at once, each author hears once, and besides of those that were
 * discussed. Who may not decide for others has withdrawn, and ends the threads that they may end.
 */
export function actsOf(
  decided: readonly Decided[],
  threads: readonly ShownThread[],
  rights: Rights,
  own: string,
): readonly ActOf[] {
  const told = new Set([own]);
  return decided.flatMap(({ id, user, verdict }): readonly ActOf[] => {
    const about = threads.filter(({ suggestion, state }) => suggestion === id && state === "open");
    if (!rights.mayChangeAll) {
      return about
        .filter((thread) => mayChange(thread, rights, own))
        .map((thread) => ({ kind: "change", thread: thread.id, change: { state: "resolved" } }));
    }
    if (about.length === 0 && told.has(user)) return [];
    told.add(user);
    const outcome = { outcome: verdict === "accept" ? "accepted" : "rejected", author: user } as const;
    return [{ kind: "settle", thread: null, suggestion: id, outcome }];
  });
}
