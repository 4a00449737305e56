/** All threads of a document in one list, by filter: beside the text, or on a phone in a sheet from below. */

import { X } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { t } from "../../i18n/t";
import { classes } from "../../ui/classes";
import { IconButton } from "../../ui/IconButton";
import { activating } from "../margin/activating";
import { namesVersion } from "../suggesting/people";
import type { Deeds } from "./deeds";
import { ThreadCard } from "./ThreadCard";
import { type Filter, passes, type ShownThread } from "./threads";

export interface ThreadsPanelProps {
  readonly threads: readonly ShownThread[];
  readonly detached: ReadonlySet<string>;
  readonly active: string | null;
  readonly filter: Filter;
  readonly deeds: Deeds;
  readonly replyingIn: (thread: string) => readonly string[];
  readonly onFilter: (filter: Filter) => void;
  readonly onActivate: (id: string) => void;
  readonly onClose: () => void;
}

const FILTERS: readonly (readonly [Filter, string])[] = [
  ["open", t("Open")],
  ["resolved", t("Resolved")],
  ["mine", t("Mine")],
];

/** Threads that are in the page at once. */
const MOST = 200;

const EMPTY: Readonly<Record<Filter, string>> = {
  open: t("No open comments. Select words and press Ctrl+Alt+M to begin one."),
  resolved: t("No resolved comments."),
  mine: t("No comments that concern you."),
};

export function ThreadsPanel(props: ThreadsPanelProps) {
  const { threads, detached, active, filter, deeds, replyingIn, onFilter, onActivate, onClose } = props;
  const list = useRef<HTMLDivElement>(null);
  const shown = threads.filter((thread) => passes(thread, filter, deeds.own)).slice(0, MOST);
  useEffect(() => {
    const card = active === null ? null : list.current?.querySelector(`[data-card="${CSS.escape(active)}"]`);
    card?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    onClose();
  };
  return (
    <section className="threads-panel" aria-label={t("All comments")} onKeyDown={onKeyDown}>
      <header className="threads-panel-header">
        <h2>{t("Comments")}</h2>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
        <div role="group" aria-label={t("Which comments")} className="threads-filters">
          {FILTERS.map(([value, label]) => (
            <button
              key={value}
              type="button"
              className={classes("threads-filter", value === filter && "threads-filter--on")}
              aria-pressed={value === filter}
              onClick={() => onFilter(value)}
            >
              {label}
            </button>
          ))}
        </div>
        <IconButton icon={X} iconSize={17} size="small" label={t("Close the comments")} onClick={onClose} />
      </header>
      <div className="threads-list" ref={list}>
        {shown.length === 0 && <p className="threads-empty">{EMPTY[filter]}</p>}
        {shown.map((thread) => (
          <div
            key={thread.id}
            data-card={thread.id}
            className="threads-card"
            data-active={thread.id === active || undefined}
            {...activating(() => onActivate(thread.id))}
          >
            <ThreadCard
              thread={thread}
              isActive={thread.id === active}
              isDetached={detached.has(thread.id)}
              deeds={deeds}
              replying={replyingIn(thread.id)}
              names={namesVersion()}
              isListed
            />
          </div>
        ))}
      </div>
    </section>
  );
}
