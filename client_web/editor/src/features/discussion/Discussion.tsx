/** The margin of an open document, with what is said and what is suggested; the list of all threads; the sheet on phones. */

import type { Provider, ProviderState, Role } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useApi } from "../../api/ApiContext";
import type { Me } from "../../api/me";
import { explain } from "../../api/rest";
import { t } from "../../i18n/t";
import { IconButton } from "../../ui/IconButton";
import { useToasts } from "../../ui/Toast";
import { Margin } from "../margin/Margin";
import { useAuthorColors } from "../suggesting/useAuthorColors";
import { useSuggestions } from "../suggesting/useSuggestions";
import { Composer } from "./Composer";
import { discussionCalls } from "./calls";
import { Discussion } from "./discussion";
import { useFocusKept } from "./focus";
import { keptActs } from "./kept_acts";
import { ThreadsPanel } from "./ThreadsPanel";
import type { Filter, ShownThread } from "./threads";
import { useActive } from "./useActive";
import { useAuthor } from "./useAuthor";
import { useAuthors } from "./useAuthors";
import { DRAFT, useCards } from "./useCards";
import { useDeeds } from "./useDeeds";
import { useDetached } from "./useDetached";
import type { DiscussionSwitch } from "./useDiscussion";
import { useDraft } from "./useDraft";
import { useOutcomes } from "./useOutcomes";
import { useReplying } from "./useReplying";
import { useStacked } from "./useStacked";
import { useFollowed, useThreads } from "./useThreads";
import { useUnsentOfGone } from "./useUnsentOfGone";
import "./discussion.css";

export interface DiscussionViewProps {
  readonly editor: Editor;
  readonly provider: Provider;
  readonly state: ProviderState;
  /** As the server says it, or as it was at the last visit. */
  readonly role: Role | null;
  readonly me: Me | null;
  /** What scrolls the sheet; the margin goes into it. */
  readonly desk: RefObject<HTMLElement | null>;
  readonly open: DiscussionSwitch;
  /** Whether this person accepts and rejects suggestions. */
  readonly maySettle: boolean;
}

export function DiscussionView({
  editor,
  provider,
  state,
  role,
  me,
  desk,
  open,
  maySettle,
}: DiscussionViewProps) {
  const { documentId } = provider;
  const api = useApi();
  const toasts = useToasts();
  const discussion = useMemo(
    () => new Discussion(discussionCalls(api.call, documentId), keptActs(documentId), explain),
    [api, documentId],
  );
  const author = useAuthor(me, provider);
  const isSynced = state.status === "synced";
  useFollowed(discussion, isSynced, state.discussion, author?.user_id ?? null);
  const { threads, isRead, mayRead } = useThreads(discussion);
  const suggestions = useSuggestions(editor);
  const detached = useDetached(editor, threads);
  const isStacked = useStacked();
  const { active, activate, goTo, step } = useActive({
    ...{ editor, threads, detached, open, isStacked, own: author?.user_id ?? null },
  });
  useAuthors(discussion.calls, isSynced, suggestions, threads);
  useAuthorColors(suggestions, active);
  const [filter, setFilter] = useState<Filter>("open");
  const replyingIn = useReplying(provider.awareness);
  const leave = useCallback(() => {
    activate(null);
    editor.commands.focus(undefined, { scrollIntoView: false });
  }, [editor, activate]);
  const isClosed = state.quarantined || state.document?.trashedAt;
  const rightful = isClosed ? "viewer" : role;
  const deeds = useDeeds({ discussion, editor, provider, role: rightful, isSynced, author, leave });
  const draft = useDraft({ editor, discussion, provider, deeds, author, open, activate });
  const said = useOutcomes({ editor, discussion, documentId, rights: deeds.rights, author });
  const isSuggested = ({ suggestion }: ShownThread) => suggestions.some(({ id }) => id === suggestion);

  useLed(open.thread, threads, isRead && mayRead !== false, (thread) => {
    if (thread === null) {
      toasts.show({ tone: "error", message: t("There is no such comment any more.") });
      return;
    }
    const hasCard =
      thread.kind === "suggestion"
        ? isSuggested(thread)
        : thread.state === "open" && !detached.has(thread.id);
    if (!hasCard && thread.state === "resolved") setFilter("resolved");
    if (!hasCard) open.setListOpen(true);
    goTo((hasCard && thread.suggestion) || thread.id);
  });
  useEscape(leave);
  useFocusKept(leave);
  useUnsentOfGone(
    documentId,
    useMemo(() => [...threads, ...suggestions], [threads, suggestions]),
  );

  const composer = draft.isOpen && (
    <div className="thread thread--active">
      <Composer
        label={t("Comment")}
        keptAs={documentId}
        placeholder={t("Comment, or @ to mention somebody")}
        sendLabel={t("Comment|verb")}
        findPeople={deeds.findPeople}
        mayAssign={deeds.rights.mayWrite}
        onSend={draft.send}
        onCancel={draft.cancel}
      />
    </div>
  );
  const { kinds, card } = useCards({
    ...{ editor, threads, active, suggestions, detached, deeds, maySettle, replyingIn, composer },
  });

  const hasCards = kinds.some((kind) => kind.ids.size > 0);
  const close = () => open.setListOpen(false);
  const list =
    mayRead === false ? (
      <NoReading onClose={close} />
    ) : (
      <ThreadsPanel
        threads={threads}
        detached={detached}
        active={active}
        filter={filter}
        deeds={deeds}
        replyingIn={replyingIn}
        onFilter={setFilter}
        onActivate={(id) => goTo(id, threads.find((each) => each.id === id)?.suggestion ?? id)}
        onClose={() => {
          close();
          leave();
        }}
      />
    );
  const panel = open.isListOpen && list;
  const announcement = (
    <p className="ui-hidden" role="status">
      {said}
    </p>
  );
  if (isStacked) {
    const activeCard = card(active, true);
    const single = !composer && !panel && activeCard;
    const inSheet = composer || panel || activeCard;
    return (
      <>
        {announcement}
        {inSheet && (
          <section className="threads-sheet" aria-label={t("Comments")}>
            {single && (
              <header className="threads-sheet-header">
                <IconButton icon={ChevronUp} label={t("Comment before")} onClick={() => step(-1)} />
                <IconButton icon={ChevronDown} label={t("Next comment")} onClick={() => step(1)} />
                <IconButton icon={X} label={t("Close the comments")} onClick={leave} />
              </header>
            )}
            {inSheet}
          </section>
        )}
      </>
    );
  }
  return (
    <>
      {announcement}
      {hasCards && !open.isListOpen && desk.current
        ? createPortal(
            <Margin
              editor={editor}
              label={t("Comments")}
              kinds={kinds}
              active={draft.isOpen ? DRAFT : active}
              onActivate={draft.isOpen ? ignore : goTo}
            />,
            desk.current,
          )
        : null}
      {panel}
      {open.isListOpen && composer && <div className="threads-draft">{composer}</div>}
    </>
  );
}

function ignore(): void {}

function NoReading({ onClose }: { readonly onClose: () => void }) {
  return (
    <section className="threads-panel" aria-label={t("All comments")}>
      <header className="threads-panel-header">
        <h2>{t("Comments")}</h2>
        <IconButton icon={X} iconSize={17} size="small" label={t("Close the comments")} onClick={onClose} />
      </header>
      <p className="threads-empty">
        {t("The owner lets only people read the comments who may comment, too.")}
      </p>
    </section>
  );
}

/** Goes once to the thread that the address names. */
function useLed(
  wanted: string | null,
  threads: readonly ShownThread[],
  isRead: boolean,
  lead: (thread: ShownThread | null) => void,
): void {
  const led = useRef<string | null>(null);
  const latest = useRef(lead);
  latest.current = lead;
  useEffect(() => {
    if (wanted === null || led.current === wanted) return;
    const thread = threads.find(({ id }) => id === wanted) ?? null;
    if (thread === null && !isRead) return;
    led.current = wanted;
    latest.current(thread);
  }, [wanted, threads, isRead]);
}

/** Escape leads from the cards back to the text. */
function useEscape(leave: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest(".margin, .threads-sheet")) leave();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [leave]);
}
