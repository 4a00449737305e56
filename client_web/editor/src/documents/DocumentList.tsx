/** The list of documents under headings of age, with arrow keys, F2 to rename and Delete to throw away. */
import { type KeyboardEvent, useRef, useState } from "react";
import type { DocumentEntry } from "../api/api";
import { ConfirmDialog } from "../ui/Dialog";
import { DocumentRow, type RowCommand } from "./DocumentRow";
import { isOthers, mayRename, mayTrash } from "./rights";
import { groupByAge } from "./times";
import { shownTitle } from "./titles";
import type { DocumentActions } from "./useDocumentActions";
import { useNow } from "./useNow";
import type { DocumentsView } from "./views";

export interface DocumentListProps {
  readonly documents: readonly DocumentEntry[];
  readonly view: DocumentsView;
  readonly actions: DocumentActions;
  /** Somebody is looking for a document to open: time to fetch the editor. */
  readonly onApproach: () => void;
  /** Somewhere for the focus when the last row has gone. */
  readonly onEmptied: () => void;
}

export function DocumentList({ documents, view, actions, onApproach, onEmptied }: DocumentListProps) {
  const now = useNow();
  const list = useRef<HTMLDivElement>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<DocumentEntry | null>(null);
  const [leaving, setLeaving] = useState<DocumentEntry | null>(null);

  const links = () => Array.from(list.current?.querySelectorAll<HTMLElement>("[data-document]") ?? []);
  /** A new title moves its row to the top, which costs a browser the focus; nobody else's is taken. */
  const takeFocus = (id: string) => {
    requestAnimationFrame(() => {
      if (window.document.activeElement !== window.document.body) return;
      links()
        .find((link) => link.dataset.document === id)
        ?.focus();
    });
  };
  const leave = (id: string) => {
    const all = links();
    const at = all.findIndex((link) => link.dataset.document === id);
    const next = all[at + 1] ?? all[at - 1];
    if (next) next.focus();
    else onEmptied();
  };

  const carryOut = (command: RowCommand, document: DocumentEntry) => {
    switch (command) {
      case "rename":
        return setRenaming(document.id);
      case "destroy":
        return setDoomed(document);
      case "leave":
        return setLeaving(document);
      case "copy link":
        return actions.copyLink(document);
      case "trash":
      case "restore":
        leave(document.id);
        return actions[command](document);
    }
  };

  const whenPressed = (event: KeyboardEvent<HTMLElement>) => {
    const all = links();
    const at = all.indexOf(event.target as HTMLElement);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const goal = arrowGoal(event.key, at, all.length);
    const document = documents.find(({ id }) => id === all[at]?.dataset.document);
    const command = document && keyCommand(event.key, view, document);
    if (goal === null && !command) return;
    event.preventDefault();
    if (goal !== null) all[goal]?.focus();
    else if (command) carryOut(command, document);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links inside
    <div ref={list} onKeyDown={whenPressed} onPointerEnter={onApproach} onFocus={onApproach}>
      {groupByAge(documents, timeIn(view), now).map((group) => (
        <section key={group.heading} className="documents-group">
          <h2 className="documents-group-heading">{group.heading}</h2>
          <ul className="documents-rows">
            {group.documents.map((document) => (
              <DocumentRow
                key={document.id}
                document={document}
                view={view}
                now={now}
                renaming={renaming === document.id}
                onCommand={(command) => carryOut(command, document)}
                onRenamed={(title, byKey) => {
                  setRenaming(null);
                  const renamed = title === null ? null : actions.rename(document, title);
                  if (!byKey) return;
                  takeFocus(document.id);
                  renamed?.then(() => takeFocus(document.id));
                }}
              />
            ))}
          </ul>
        </section>
      ))}
      <ConfirmDialog
        open={doomed !== null}
        onOpenChange={(open) => open || setDoomed(null)}
        tone="danger"
        title="Delete for ever?"
        description={
          <>
            <strong>{shownTitle(doomed?.title ?? "")}</strong> and everything in it will be gone, for
            everybody. This cannot be undone.
          </>
        }
        confirmLabel="Delete for ever"
        onConfirm={() => {
          if (!doomed) return;
          setDoomed(null);
          leave(doomed.id);
          actions.destroy(doomed);
        }}
      />
      <ConfirmDialog
        open={leaving !== null}
        onOpenChange={(open) => open || setLeaving(null)}
        tone="danger"
        title="Leave this document?"
        description={
          <>
            <strong>{shownTitle(leaving?.title ?? "")}</strong> goes from your list, and you lose the access
            that you were given. {leaving?.owner?.name ?? "The owner"} can add you again.
          </>
        }
        confirmLabel="Leave"
        onConfirm={() => {
          if (!leaving) return;
          setLeaving(null);
          leave(leaving.id);
          actions.leave(leaving);
        }}
      />
    </div>
  );
}

function timeIn(view: DocumentsView): (document: DocumentEntry) => Date {
  return view === "trash"
    ? (document) => document.trashedAt ?? document.updatedAt
    : (document) => document.updatedAt;
}

/** Returns the row that a key leads to, or null for other keys. */
function arrowGoal(key: string, at: number, count: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, count - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

function keyCommand(key: string, view: DocumentsView, document: DocumentEntry): RowCommand | null {
  if (view === "trash") return key === "Delete" ? "destroy" : null;
  if (key === "Delete" && mayTrash(document)) return "trash";
  if (key === "Delete" && isOthers(document)) return "leave";
  return key === "F2" && mayRename(document) ? "rename" : null;
}
