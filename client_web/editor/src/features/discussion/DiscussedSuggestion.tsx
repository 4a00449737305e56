/** The card of a suggestion, with what is said about the suggestion. */

import type { Editor } from "@tiptap/core";
import { memo, useState } from "react";
import { t } from "../../i18n/t";
import { hasSameWords, type Suggestion } from "../suggesting/list";
import { SuggestionCard } from "../suggesting/SuggestionCard";
import { settleIn } from "../suggesting/settling";
import { Composer } from "./Composer";
import type { Deeds } from "./deeds";
import { focusCard } from "./focus";
import { ThreadCard } from "./ThreadCard";
import type { ShownThread } from "./threads";
import { unsentOf } from "./unsent";

export interface DiscussedSuggestionProps {
  readonly editor: Editor;
  readonly suggestion: Suggestion;
  readonly isActive: boolean;
  readonly maySettle: boolean;
  readonly deeds: Deeds;
  readonly threads: readonly ShownThread[];
  readonly replyingIn: (thread: string) => readonly string[];
  /** What the names on the card were when it was drawn; see `namesVersion`. */
  readonly names: number;
}

export const DiscussedSuggestion = memo(function DiscussedSuggestion(props: DiscussedSuggestionProps) {
  const { editor, suggestion, isActive, maySettle, deeds, threads, replyingIn, names } = props;
  const [isDiscussing, setDiscussing] = useState(false);
  const isOwn = suggestion.user === deeds.own;
  const isWriting = isDiscussing || (isActive && unsentOf(suggestion.id) !== null);
  const mayDiscuss = deeds.rights.mayWrite && isActive && threads.length === 0 && !isWriting;
  return (
    <SuggestionCard
      suggestion={suggestion}
      isOwn={isOwn}
      maySettle={maySettle && editor.isEditable}
      mayWithdraw={isOwn && editor.isEditable}
      onSettle={(seen, verdict) => {
        const decided = maySettle ? verdict : "withdraw";
        // As seen: what has been added since this card was drawn stays a suggestion.
        settleIn(editor, ({ id, run }) =>
          id === seen.id && (run === undefined || seen.runs.has(run)) ? decided : "keep",
        );
        deeds.leave();
      }}
      onDiscuss={mayDiscuss ? () => setDiscussing(true) : null}
    >
      {threads.map((thread) => (
        <ThreadCard
          key={thread.id}
          thread={thread}
          isActive={isActive}
          isDetached={false}
          deeds={deeds}
          replying={replyingIn(thread.id)}
          names={names}
          isInside
        />
      ))}
      {isWriting && (
        <Composer
          label={t("Comment")}
          keptAs={suggestion.id}
          isFocused={isDiscussing}
          placeholder={t("Comment, or @ to mention somebody")}
          sendLabel={t("Comment|verb")}
          findPeople={deeds.findPeople}
          mayAssign={deeds.rights.mayWrite}
          onSend={(body, assignee) => {
            deeds.discuss(suggestion, body, assignee);
            setDiscussing(false);
            focusCard(suggestion.id);
          }}
          onCancel={() => {
            setDiscussing(false);
            focusCard(suggestion.id);
          }}
        />
      )}
    </SuggestionCard>
  );
}, isSameCard);

/** Where a suggestion stands changes with each letter before it: that moves its card, and draws no new one. */
function isSameCard(before: DiscussedSuggestionProps, after: DiscussedSuggestionProps): boolean {
  return (
    hasSameWords(before.suggestion, after.suggestion) &&
    before.editor === after.editor &&
    before.isActive === after.isActive &&
    before.maySettle === after.maySettle &&
    before.deeds === after.deeds &&
    before.threads === after.threads &&
    before.replyingIn === after.replyingIn &&
    before.names === after.names
  );
}
