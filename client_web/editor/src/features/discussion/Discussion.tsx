/** The discussion of an open document: cards in the margin, the list of all threads, and what is done in them. */

import type { Provider, ProviderState, Role } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useApi } from "../../api/ApiContext";
import type { Me } from "../../api/me";
import { explain } from "../../api/rest";
import { anchorsIn, draftIn } from "../../extensions/comment_marks";
import { t } from "../../i18n/t";
import { IconButton } from "../../ui/IconButton";
import { useToasts } from "../../ui/Toast";
import { type CardKind, Margin } from "../margin/Margin";
import { Composer } from "./Composer";
import { discussionCalls } from "./calls";
import { Discussion } from "./discussion";
import { keptActs } from "./kept_acts";
import { ThreadCard } from "./ThreadCard";
import { ThreadsPanel } from "./ThreadsPanel";
import type { Filter, ShownThread } from "./threads";
import { useActive } from "./useActive";
import { useAuthor } from "./useAuthor";
import { useDeeds } from "./useDeeds";
import { useDetached } from "./useDetached";
import type { DiscussionSwitch } from "./useDiscussion";
import { useDraft } from "./useDraft";
import { useReplying } from "./useReplying";
import { useStacked } from "./useStacked";
import { useFollowed, useThreads } from "./useThreads";
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
  /** Cards of other kinds that stand in the same margin. */
  readonly cards?: readonly CardKind[];
}

const NO_CARDS: readonly CardKind[] = [];
const DRAFT = "draft";
const DRAFT_IDS: ReadonlySet<string> = new Set([DRAFT]);

export function DiscussionView({
  editor,
  provider,
  state,
  role,
  me,
  desk,
  open,
  cards = NO_CARDS,
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
  const detached = useDetached(editor, threads);
  const { active, activate, goTo, step } = useActive(editor, threads, detached, open);
  const [filter, setFilter] = useState<Filter>("open");
  const isStacked = useStacked();
  const replying = useReplying(provider.awareness);
  const leave = useCallback(() => {
    activate(null);
    editor.commands.focus(undefined, { scrollIntoView: false });
  }, [editor, activate]);
  const deeds = useDeeds({ discussion, editor, provider, role, isSynced, author, leave });
  const draft = useDraft({ editor, discussion, provider, deeds, author, open, activate });

  useLed(open.thread, threads, isRead && mayRead !== false, (thread) => {
    if (thread === null) {
      toasts.show({ tone: "error", message: t("There is no such comment any more.") });
      return;
    }
    if (thread.state === "resolved") setFilter("resolved");
    if (thread.state === "resolved" || detached.has(thread.id)) open.setListOpen(true);
    goTo(thread.id);
  });
  useEscape(leave);

  const ids = useMemo(
    () =>
      new Set(
        threads.filter(({ state: now, kind }) => now === "open" && kind === "comment").map(({ id }) => id),
      ),
    [threads],
  );
  const composer = draft.isOpen && (
    <div className="thread thread--active">
      <Composer
        label={t("Comment")}
        placeholder={t("Comment, or @ to mention somebody")}
        sendLabel={t("Comment|verb")}
        findPeople={deeds.findPeople}
        mayAssign={deeds.rights.mayWrite}
        onSend={draft.send}
        onCancel={draft.cancel}
      />
    </div>
  );
  const byId = useMemo(() => new Map(threads.map((thread) => [thread.id, thread])), [threads]);
  const card = (thread: ShownThread | undefined, isActive: boolean) =>
    thread && (
      <ThreadCard
        thread={thread}
        isActive={isActive}
        isDetached={detached.has(thread.id)}
        deeds={deeds}
        replying={replying(thread.id)}
      />
    );
  const latest = useRef({ card, composer });
  latest.current = { card, composer };
  // biome-ignore lint/correctness/useExhaustiveDependencies: who replies changes what the cards show
  const kinds = useMemo<readonly CardKind[]>(
    () => [
      { anchors: anchorsIn, ids, render: (id, isActive) => latest.current.card(byId.get(id), isActive) },
      ...(draft.isOpen
        ? [
            {
              anchors: ({ doc, ...rest }) => {
                const span = draftIn({ doc, ...rest } as Editor["state"]);
                return span ? new Map([[DRAFT, span.from]]) : new Map();
              },
              ids: DRAFT_IDS,
              render: () => latest.current.composer,
            } satisfies CardKind,
          ]
        : []),
      ...cards,
    ],
    [ids, byId, draft.isOpen, cards, deeds, replying, detached],
  );

  if (mayRead === false)
    return open.isListOpen ? <NoReading onClose={() => open.setListOpen(false)} /> : null;
  const hasCards = kinds.some((kind) => kind.ids.size > 0);
  const activeThread = active === null ? undefined : byId.get(active);
  const panel = open.isListOpen && (
    <ThreadsPanel
      threads={threads}
      detached={detached}
      active={active}
      filter={filter}
      deeds={deeds}
      replyingIn={replying}
      onFilter={setFilter}
      onActivate={goTo}
      onClose={() => {
        open.setListOpen(false);
        leave();
      }}
    />
  );
  if (isStacked) {
    const single = !composer && !panel && activeThread;
    const inSheet = composer || panel || card(activeThread, true);
    return (
      inSheet && (
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
      )
    );
  }
  return (
    <>
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
