/** What can be done with the documents that are selected, at the foot of the list. */
import { ArchiveRestore, Star, Tag, Trash2, X } from "lucide-react";
import type { DocumentEntry } from "../api/api";
import { t } from "../i18n/t";
import { Button } from "../ui/Button";
import { IconButton } from "../ui/IconButton";
import { mayRename, mayTrash } from "./rights";
import type { DocumentsView } from "./views";

export type ManyCommand = "star" | "label" | "trash" | "restore" | "destroy";

export interface SelectionBarProps {
  readonly selected: readonly DocumentEntry[];
  readonly listed: number;
  readonly view: DocumentsView;
  readonly onCommand: (command: ManyCommand) => void;
  readonly onAll: () => void;
  readonly onNone: () => void;
}

export function SelectionBar({ selected, listed, view, onCommand, onAll, onNone }: SelectionBarProps) {
  const count = selected.length;
  return (
    <>
      <p className="ui-hidden" role="status">
        {count > 0 && t("{count, plural, one {# document selected} other {# documents selected}}", { count })}
      </p>
      {count > 0 && (
        <section className="documents-selection" aria-label={t("Selected documents")}>
          <IconButton icon={X} label={t("Select none")} size="small" onClick={onNone} />
          <span className="documents-selection-count">{t("{count, number} selected", { count })}</span>
          {count < listed && (
            <Button size="small" variant="ghost" onClick={onAll}>
              {t("Select all")}
            </Button>
          )}
          <span className="documents-selection-commands">
            {view === "trash" ? (
              <>
                <Button size="small" icon={ArchiveRestore} onClick={() => onCommand("restore")}>
                  {t("Restore")}
                </Button>
                <Button size="small" variant="danger" icon={Trash2} onClick={() => onCommand("destroy")}>
                  {t("Delete for ever…")}
                </Button>
              </>
            ) : (
              <>
                <Button size="small" icon={Star} onClick={() => onCommand("star")}>
                  {selected.every((each) => each.starred) ? t("Take the stars away") : t("Star|verb")}
                </Button>
                {selected.some(mayRename) && (
                  <Button size="small" icon={Tag} onClick={() => onCommand("label")}>
                    {t("Label…")}
                  </Button>
                )}
                {selected.some(mayTrash) && (
                  <Button size="small" icon={Trash2} onClick={() => onCommand("trash")}>
                    {t("Move to the trash")}
                  </Button>
                )}
              </>
            )}
          </span>
        </section>
      )}
    </>
  );
}
