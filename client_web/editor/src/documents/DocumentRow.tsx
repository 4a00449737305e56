/** One document in the list: a link as wide as the row, with its menu above it. */
import {
  ArchiveRestore,
  Copy,
  ExternalLink,
  FileText,
  Link2,
  LogOut,
  MoreVertical,
  PencilLine,
  Star,
  Tag,
  Trash2,
} from "lucide-react";
import { useRef } from "react";
import { Link } from "wouter";
import type { DocumentEntry, Order } from "../api/api";
import type { PersonRef } from "../api/me";
import { useMe } from "../api/whoAmI";
import { rich, t } from "../i18n/t";
import { Avatar } from "../ui/Avatar";
import { IconButton } from "../ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "../ui/Menu";
import { timeOf } from "./catalogue";
import { editorWords } from "./editorWords";
import { RenameField } from "./RenameField";
import { isOthers, mayRename, mayTrash } from "./rights";
import { fullTime, relativeTime, timeWords } from "./times";
import { shownTitle } from "./titles";
import type { DocumentsView } from "./views";

/** What somebody wants done to a row's document. */
export type RowCommand =
  | "rename"
  | "star"
  | "label"
  | "duplicate"
  | "trash"
  | "restore"
  | "destroy"
  | "leave"
  | "copy link";

export interface DocumentRowProps {
  readonly document: DocumentEntry;
  readonly view: DocumentsView;
  readonly order: Order;
  readonly now: Date;
  readonly renaming: boolean;
  readonly selected: boolean;
  readonly onSelect: (isRange: boolean) => void;
  readonly onCommand: (command: RowCommand) => void;
  readonly onRenamed: (title: string | null, byKey: boolean) => void;
}

export function DocumentRow(props: DocumentRowProps) {
  const { document, view, order, now, renaming, selected, onSelect, onCommand, onRenamed } = props;
  const time = document.trashedAt ?? timeOf(document, order);
  const title = shownTitle(document.title);
  const ownId = useMe()?.user.id;
  const isEditTime = view !== "trash" && (order === "edited" || order === "title");
  const editor = isEditTime ? editorWords(document, ownId) : null;
  return (
    <li className="documents-row" data-selected={selected || undefined}>
      <span className="documents-row-mark">
        <FileText className="documents-row-icon" aria-hidden="true" size={20} strokeWidth={1.6} />
        <input
          type="checkbox"
          className="documents-row-box"
          aria-label={t("Select {title}", { title })}
          checked={selected}
          onChange={(event) =>
            onSelect(event.nativeEvent instanceof MouseEvent && event.nativeEvent.shiftKey)
          }
        />
      </span>
      <div className="documents-row-words">
        <div className="documents-row-names">
          {renaming ? (
            <RenameField title={title} onDone={onRenamed} />
          ) : (
            <Link
              href={`/d/${document.id}`}
              className="documents-row-link"
              dir="auto"
              data-document={document.id}
            >
              {title}
            </Link>
          )}
          {document.preview !== "" && (
            <p className="documents-row-preview" dir="auto">
              {document.preview}
            </p>
          )}
          {document.labels.length > 0 && (
            <ul className="documents-row-labels" aria-label={t("Labels of {title}", { title })}>
              {document.labels.map((label) => (
                <li key={label} dir="auto">
                  {label}
                </li>
              ))}
            </ul>
          )}
        </div>
        <div className="documents-row-facts">
          {document.requests > 0 && view !== "trash" && (
            <span className="documents-row-asks">
              {t("{count, plural, one {# asks for access} other {# ask for access}}", {
                count: document.requests,
              })}
            </span>
          )}
          {isOthers(document) && document.owner && <OwnerName owner={document.owner} />}
          {time === null ? (
            <span className="documents-row-time">{t("Not opened yet")}</span>
          ) : (
            <time className="documents-row-time" dateTime={time.toJSON() ?? undefined} title={fullTime(time)}>
              {timeWords(view === "trash" ? "trashed" : order, relativeTime(time, now))}
              {editor !== null && (
                <span className="documents-row-editor" dir="auto">
                  {editor}
                </span>
              )}
            </time>
          )}
        </div>
      </div>
      {view === "trash" ? (
        <TrashButtons title={title} onCommand={onCommand} />
      ) : (
        <RowMenu document={document} onCommand={onCommand} />
      )}
    </li>
  );
}

function OwnerName({ owner }: { readonly owner: PersonRef }) {
  return (
    <span className="documents-row-owner" title={t("Owned by {name}", { name: owner.name })}>
      <Avatar aria-hidden="true" name={owner.name} color={owner.color} size={20} />
      {rich("<hidden>Owned by </hidden>{name}", {
        hidden: (inside) => <span className="ui-hidden">{inside}</span>,
        name: <span dir="auto">{owner.name}</span>,
      })}
    </span>
  );
}

function TrashButtons({
  title,
  onCommand,
}: { readonly title: string } & Pick<DocumentRowProps, "onCommand">) {
  return (
    <div className="documents-row-actions">
      <IconButton
        icon={ArchiveRestore}
        label={t("Restore {title}", { title })}
        onClick={() => onCommand("restore")}
      />
      <IconButton
        icon={Trash2}
        label={t("Delete {title} for ever", { title })}
        onClick={() => onCommand("destroy")}
      />
    </div>
  );
}

function RowMenu({ document, onCommand }: Pick<DocumentRowProps, "document" | "onCommand">) {
  // The field that renaming opens takes the focus: it must not go back to this menu's button.
  const keepsFocus = useRef(false);
  const title = shownTitle(document.title);
  return (
    <div className="documents-row-actions">
      <IconButton
        icon={Star}
        className="documents-star"
        label={t("Star {title}", { title })}
        pressed={document.starred}
        onClick={() => onCommand("star")}
      />
      <Menu
        align="end"
        trigger={<IconButton icon={MoreVertical} label={t("More about {title}", { title })} />}
        onCloseAutoFocus={(event) => {
          if (keepsFocus.current) event.preventDefault();
          keepsFocus.current = false;
        }}
      >
        {mayRename(document) && (
          <MenuItem
            icon={PencilLine}
            shortcut="F2"
            onSelect={() => {
              keepsFocus.current = true;
              onCommand("rename");
            }}
          >
            {t("Rename")}
          </MenuItem>
        )}
        <MenuItem icon={ExternalLink} onSelect={() => window.open(`/d/${document.id}`, "_blank", "noopener")}>
          {t("Open in a new tab")}
        </MenuItem>
        <MenuItem icon={Link2} onSelect={() => onCommand("copy link")}>
          {t("Copy the link")}
        </MenuItem>
        {mayRename(document) && (
          <MenuItem icon={Tag} onSelect={() => onCommand("label")}>
            {t("Labels…")}
          </MenuItem>
        )}
        <MenuItem icon={Copy} onSelect={() => onCommand("duplicate")}>
          {t("Make a copy")}
        </MenuItem>
        {mayTrash(document) && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} shortcut={t("Del|key")} tone="danger" onSelect={() => onCommand("trash")}>
              {t("Move to the trash")}
            </MenuItem>
          </>
        )}
        {isOthers(document) && (
          <>
            <MenuSeparator />
            <MenuItem icon={LogOut} shortcut={t("Del|key")} tone="danger" onSelect={() => onCommand("leave")}>
              {t("Leave…")}
            </MenuItem>
          </>
        )}
      </Menu>
    </div>
  );
}
