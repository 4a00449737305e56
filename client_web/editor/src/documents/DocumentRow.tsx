/** One document in the list: a link as wide as the row, with its menu above it. */
import {
  ArchiveRestore,
  ExternalLink,
  FileText,
  Link2,
  LogOut,
  MoreVertical,
  PencilLine,
  Trash2,
} from "lucide-react";
import { useRef } from "react";
import { Link } from "wouter";
import type { DocumentEntry } from "../api/api";
import type { PersonRef } from "../api/me";
import { Avatar } from "../ui/Avatar";
import { IconButton } from "../ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "../ui/Menu";
import { RenameField } from "./RenameField";
import { isOthers, mayRename, mayTrash } from "./rights";
import { fullTime, relativeTime } from "./times";
import { shownTitle } from "./titles";
import type { DocumentsView } from "./views";

/** What somebody wants done to a row's document. */
export type RowCommand = "rename" | "trash" | "restore" | "destroy" | "leave" | "copy link";

export interface DocumentRowProps {
  readonly document: DocumentEntry;
  readonly view: DocumentsView;
  readonly now: Date;
  readonly renaming: boolean;
  readonly onCommand: (command: RowCommand) => void;
  readonly onRenamed: (title: string | null, byKey: boolean) => void;
}

export function DocumentRow({ document, view, now, renaming, onCommand, onRenamed }: DocumentRowProps) {
  const time = document.trashedAt ?? document.updatedAt;
  const title = shownTitle(document.title);
  return (
    <li className="documents-row">
      <FileText className="documents-row-icon" aria-hidden="true" size={20} strokeWidth={1.6} />
      <div className="documents-row-words">
        <div className="documents-row-names">
          {renaming ? (
            <RenameField title={document.title} onDone={onRenamed} />
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
        </div>
        <div className="documents-row-facts">
          {isOthers(document) && document.owner && <OwnerName owner={document.owner} />}
          <time className="documents-row-time" dateTime={time.toJSON() ?? undefined} title={fullTime(time)}>
            <span className="documents-row-verb">{view === "trash" ? "Trashed" : "Edited"} </span>
            {relativeTime(time, now)}
          </time>
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
    <span className="documents-row-owner" title={`Owned by ${owner.name}`}>
      <Avatar aria-hidden="true" name={owner.name} color={owner.color} size={20} />
      <span className="ui-hidden">Owned by </span>
      <span dir="auto">{owner.name}</span>
    </span>
  );
}

function TrashButtons({
  title,
  onCommand,
}: { readonly title: string } & Pick<DocumentRowProps, "onCommand">) {
  return (
    <div className="documents-row-actions">
      <IconButton icon={ArchiveRestore} label={`Restore ${title}`} onClick={() => onCommand("restore")} />
      <IconButton icon={Trash2} label={`Delete ${title} for ever`} onClick={() => onCommand("destroy")} />
    </div>
  );
}

function RowMenu({ document, onCommand }: Pick<DocumentRowProps, "document" | "onCommand">) {
  // The field that renaming opens takes the focus: it must not go back to this menu's button.
  const keepsFocus = useRef(false);
  const title = shownTitle(document.title);
  return (
    <div className="documents-row-actions">
      <Menu
        align="end"
        trigger={<IconButton icon={MoreVertical} label={`More about ${title}`} />}
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
            Rename
          </MenuItem>
        )}
        <MenuItem icon={ExternalLink} onSelect={() => window.open(`/d/${document.id}`, "_blank", "noopener")}>
          Open in a new tab
        </MenuItem>
        <MenuItem icon={Link2} onSelect={() => onCommand("copy link")}>
          Copy the link
        </MenuItem>
        {mayTrash(document) && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} shortcut="Del" tone="danger" onSelect={() => onCommand("trash")}>
              Move to the trash
            </MenuItem>
          </>
        )}
        {isOthers(document) && (
          <>
            <MenuSeparator />
            <MenuItem icon={LogOut} shortcut="Del" tone="danger" onSelect={() => onCommand("leave")}>
              Leave…
            </MenuItem>
          </>
        )}
      </Menu>
    </div>
  );
}
