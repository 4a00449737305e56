/** The list of documents under headings of age, with arrow keys, F2 to rename, Space to select, Delete to throw away. */
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import type { DocumentEntry, Order } from "../api/api";
import { rich, t } from "../i18n/t";
import { ConfirmDialog } from "../ui/Dialog";
import { timeOf } from "./catalogue";
import { DocumentRow, type RowCommand } from "./DocumentRow";
import { LabelsDialog } from "./LabelsDialog";
import { isOthers, mayRename, mayTrash } from "./rights";
import { type ManyCommand, SelectionBar } from "./SelectionBar";
import { type AgeGroup, groupByAge } from "./times";
import { shownTitle } from "./titles";
import type { DocumentActions } from "./useDocumentActions";
import { useNow } from "./useNow";
import { useSelection } from "./useSelection";
import type { DocumentsView } from "./views";

export interface DocumentListProps {
  readonly documents: readonly DocumentEntry[];
  readonly view: DocumentsView;
  readonly order: Order;
  readonly actions: DocumentActions;
  /** Somebody is looking for a document to open: time to fetch the editor. */
  readonly onApproach: () => void;
  /** Somewhere for the focus when the last row has gone. */
  readonly onEmptied: () => void;
}

export function DocumentList({ documents, view, order, actions, onApproach, onEmptied }: DocumentListProps) {
  const now = useNow();
  const list = useRef<HTMLDivElement>(null);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<readonly DocumentEntry[]>([]);
  const [labelled, setLabelled] = useState<readonly DocumentEntry[]>([]);
  const selection = useSelection(documents);
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
        return setDoomed([document]);
      case "label":
        return setLabelled([document]);
      case "star":
        return actions.star([document], !document.starred);
      case "duplicate":
        return actions.duplicate(document);
      case "leave":
        return setLeaving(document);
      case "copy link":
        return actions.copyLink(document);
      case "trash":
      case "restore":
        leave(document.id);
        return actions[command]([document]);
    }
  };

  const carryOutOnMany = (command: ManyCommand) => {
    const { selected } = selection;
    switch (command) {
      case "destroy":
        return setDoomed(selected);
      case "label":
        return setLabelled(selected.filter(mayRename));
      case "star":
        return actions.star(selected, !selected.every(({ starred }) => starred));
      case "trash":
      case "restore":
        selection.none();
        onEmptied();
        return actions[command](command === "trash" ? selected.filter(mayTrash) : selected);
    }
  };

  const whenPressed = (event: KeyboardEvent<HTMLElement>) => {
    const all = links();
    const at = all.indexOf(event.target as HTMLElement);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const goal = arrowGoal(event.key, at, all.length);
    const document = documents.find(({ id }) => id === all[at]?.dataset.document);
    if (document && event.key === " ") {
      event.preventDefault();
      selection.toggle(document.id, event.shiftKey);
    }
    const command = document && keyCommand(event.key, view, document);
    if (goal === null && !command) return;
    event.preventDefault();
    if (goal !== null) all[goal]?.focus();
    else if (command) carryOut(command, document);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links inside
    <div
      ref={list}
      data-selecting={selection.selected.length > 0 || undefined}
      onKeyDown={whenPressed}
      onPointerEnter={onApproach}
      onFocus={onApproach}
    >
      {groupsOf(documents, view, order, now).map((group) => (
        <section key={group.heading} className="documents-group">
          <h2 className="documents-group-heading">{group.heading}</h2>
          <ul className="documents-rows">
            {group.documents.map((document) => (
              <DocumentRow
                key={document.id}
                document={document}
                view={view}
                order={order}
                now={now}
                selected={selection.has(document.id)}
                onSelect={(isRange) => selection.toggle(document.id, isRange)}
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
      <SelectionBar
        selected={selection.selected}
        listed={documents.length}
        view={view}
        onCommand={carryOutOnMany}
        onAll={selection.all}
        onNone={selection.none}
      />
      {labelled.length > 0 && (
        <LabelsDialog
          documents={labelled}
          onClose={() => setLabelled([])}
          onSave={(changes) => {
            setLabelled([]);
            actions.label(labelled, changes);
          }}
        />
      )}
      <ConfirmDialog
        open={doomed.length > 0}
        onOpenChange={(open) => open || setDoomed([])}
        tone="danger"
        title={t("Delete for ever?")}
        description={
          doomed.length > 1
            ? t(
                "{count, number} documents and everything in them will be gone, for everybody. This cannot be undone.",
                { count: doomed.length },
              )
            : rich(
                "<strong>{title}</strong> and everything in it will be gone, for everybody. This cannot be undone.",
                { strong, title: shownTitle(doomed[0]?.title ?? "") },
              )
        }
        confirmLabel={t("Delete for ever")}
        onConfirm={() => {
          setDoomed([]);
          selection.none();
          if (doomed.length === 1 && doomed[0]) leave(doomed[0].id);
          else onEmptied();
          actions.destroy(doomed);
        }}
      />
      <ConfirmDialog
        open={leaving !== null}
        onOpenChange={(open) => open || setLeaving(null)}
        tone="danger"
        title={t("Leave this document?")}
        description={rich(
          "<strong>{title}</strong> goes from your list, and you lose the access that you were given. {owner} can add you again.",
          { strong, title: shownTitle(leaving?.title ?? ""), owner: leaving?.owner?.name },
        )}
        confirmLabel={t("Leave")}
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

function strong(inside: ReactNode[]) {
  return <strong>{inside}</strong>;
}

function groupsOf(
  documents: readonly DocumentEntry[],
  view: DocumentsView,
  order: Order,
  now: Date,
): readonly AgeGroup[] {
  if (documents.length === 0) return [];
  if (order === "title") return [{ heading: t("By title"), documents }];
  const timeIn = (document: DocumentEntry) =>
    (view === "trash" ? document.trashedAt : null) ?? timeOf(document, order) ?? NEVER;
  return groupByAge(documents, timeIn, now);
}

const NEVER = new Date(0);

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
