/** The cards of a document: threads, suggestions with what is said about them, and the comment that is being written. */

import type { Editor } from "@tiptap/core";
import { type ReactNode, useMemo, useRef } from "react";
import { draftIn, threadsInBlock } from "../../extensions/comment_marks";
import type { CardKind } from "../margin/Margin";
import { type Suggestion, suggestionsInBlock } from "../suggesting/list";
import { learnSignature, namesVersion } from "../suggesting/people";
import { DiscussedSuggestion } from "./DiscussedSuggestion";
import type { Deeds } from "./deeds";
import { ThreadCard } from "./ThreadCard";
import type { ShownThread } from "./threads";
import { unsentOf } from "./unsent";

export interface CardsOptions {
  readonly editor: Editor;
  readonly threads: readonly ShownThread[];
  readonly active: string | null;
  readonly suggestions: readonly Suggestion[];
  readonly detached: ReadonlySet<string>;
  readonly deeds: Deeds;
  readonly maySettle: boolean;
  readonly replyingIn: (thread: string) => readonly string[];
  /** The field of a comment that is begun; null for none. */
  readonly composer: ReactNode;
}

export interface Cards {
  readonly kinds: readonly CardKind[];
  /** The card of a thread or of a suggestion; null if there is none. */
  readonly card: (id: string | null, isActive: boolean) => ReactNode;
}

export const DRAFT = "draft";
const DRAFT_IDS: ReadonlySet<string> = new Set([DRAFT]);
const NO_THREADS: readonly ShownThread[] = [];

export function useCards(options: CardsOptions): Cards {
  const { editor, threads, active, suggestions, detached, deeds, maySettle, replyingIn, composer } = options;
  const byId = useMemo(() => new Map(threads.map((thread) => [thread.id, thread])), [threads]);
  const suggested = useMemo(() => new Map(suggestions.map((each) => [each.id, each])), [suggestions]);
  const about = useAbout(threads);
  useMemo(() => learnNames(threads), [threads]);
  const names = namesVersion();
  const ids = useMemo(
    () =>
      new Set(
        threads
          .filter(({ id, state, kind }) => {
            // Somebody may resolve what this person is answering.
            const isShown = state === "open" || (id === active && unsentOf(id) !== null);
            return isShown && kind === "comment";
          })
          .map(({ id }) => id),
      ),
    [threads, active],
  );
  const card = (id: string | null, isActive: boolean): ReactNode => {
    const [suggestion, thread] = [suggested.get(id ?? ""), byId.get(id ?? "")];
    if (suggestion) {
      return (
        <DiscussedSuggestion
          key={suggestion.id}
          editor={editor}
          suggestion={suggestion}
          isActive={isActive}
          maySettle={maySettle}
          deeds={deeds}
          threads={about.get(suggestion.id) ?? NO_THREADS}
          replyingIn={replyingIn}
          names={names}
        />
      );
    }
    if (!thread) return null;
    return (
      <ThreadCard
        key={thread.id}
        thread={thread}
        isActive={isActive}
        isDetached={detached.has(thread.id)}
        deeds={deeds}
        replying={replyingIn(thread.id)}
        names={names}
      />
    );
  };
  const latest = useRef({ card, composer });
  latest.current = { card, composer };
  const isDrafting = Boolean(composer);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the cards show comes with `latest`
  const kinds = useMemo<readonly CardKind[]>(() => {
    const render = (id: string, isActive: boolean) => latest.current.card(id, isActive);
    const draft: CardKind = {
      ids: DRAFT_IDS,
      inState: (state) =>
        draftIn(state)
          .slice(0, 1)
          .map(({ from }) => ({ id: DRAFT, at: from })),
      render: () => latest.current.composer,
    };
    return [
      { ids, inBlock: threadsInBlock, render },
      { ids: new Set(suggested.keys()), inBlock: suggestionsInBlock, render },
      ...(isDrafting ? [draft] : []),
    ];
  }, [editor, ids, byId, suggested, about, isDrafting, deeds, maySettle, replyingIn, detached, names]);
  return { kinds, card };
}

/** The threads about each suggestion: the same list as long as they are the same. */
function useAbout(threads: readonly ShownThread[]): ReadonlyMap<string, readonly ShownThread[]> {
  const before = useRef<ReadonlyMap<string, readonly ShownThread[]>>(new Map());
  return useMemo(() => {
    const now = new Map<string, readonly ShownThread[]>();
    for (const thread of threads) {
      if (thread.suggestion === null) continue;
      now.set(thread.suggestion, [...(now.get(thread.suggestion) ?? []), thread]);
    }
    for (const [id, list] of now) {
      const known = before.current.get(id);
      if (known?.length === list.length && known.every((each, at) => each === list[at])) now.set(id, known);
    }
    before.current = now;
    return now;
  }, [threads]);
}

function learnNames(threads: readonly ShownThread[]): void {
  for (const { by, changed_by: changedBy, assignee, comments } of threads) {
    for (const who of [by, changedBy, ...comments.map((comment) => comment.by)]) {
      if (who) learnSignature(who.user_id, who.name);
    }
    if (assignee) learnSignature(assignee.id, assignee.name);
  }
}
