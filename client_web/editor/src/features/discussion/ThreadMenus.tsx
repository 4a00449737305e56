/** The menus of a thread and of a comment. What is deleted cannot be taken back, so they ask first. */

import { Ellipsis, Link2, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { t } from "../../i18n/t";
import { ConfirmDialog } from "../../ui/Dialog";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "../../ui/Menu";
import { AssignItems } from "./AssignItems";
import type { Deeds } from "./deeds";
import { mayChange, mayDelete, type ShownComment, type ShownThread, wordsOf } from "./threads";

/** Characters of a comment in the question. */
const LONGEST = 140;

export interface ThreadMenuProps {
  readonly thread: ShownThread;
  readonly deeds: Deeds;
}

export function ThreadMenu({ thread, deeds }: ThreadMenuProps) {
  const { rights, own } = deeds;
  const [isAsking, setAsking] = useState(false);
  const count = thread.comments.filter(({ deleted }) => !deleted).length;
  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton icon={Ellipsis} iconSize={17} size="small" label={t("More about this thread")} />
        }
      >
        <MenuItem icon={Link2} onSelect={() => deeds.copyLink(thread)}>
          {t("Copy the link to this thread")}
        </MenuItem>
        {mayChange(thread, rights, own) && <AssignItems thread={thread} deeds={deeds} />}
        {mayDelete(thread, rights, own) && (
          <>
            <MenuSeparator />
            <MenuItem icon={Trash2} tone="danger" onSelect={() => setAsking(true)}>
              {t("Delete the thread")}
            </MenuItem>
          </>
        )}
      </Menu>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        tone="danger"
        title={t("Delete the thread?")}
        description={t(
          "{count, plural, one {Its comment} other {Its # comments}} will be gone, for everybody. This cannot be undone.",
          { count },
        )}
        confirmLabel={t("Delete")}
        onConfirm={() => {
          setAsking(false);
          deeds.deleteThread(thread);
        }}
      />
    </>
  );
}

export interface CommentMenuProps extends ThreadMenuProps {
  readonly comment: ShownComment;
  readonly onEdit: () => void;
}

export function CommentMenu({ thread, comment, deeds, onEdit }: CommentMenuProps) {
  const [isAsking, setAsking] = useState(false);
  const words = wordsOf(comment.body);
  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton
            icon={Ellipsis}
            iconSize={16}
            size="small"
            label={t("More about the comment of {name}", { name: comment.by.name })}
          />
        }
      >
        {comment.by.user_id === deeds.own && (
          <MenuItem icon={Pencil} onSelect={onEdit}>
            {t("Edit")}
          </MenuItem>
        )}
        <MenuItem icon={Trash2} tone="danger" onSelect={() => setAsking(true)}>
          {t("Delete")}
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        tone="danger"
        title={t("Delete the comment?")}
        description={t("“{words}” will be gone, for everybody. This cannot be undone.", {
          words: words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words,
        })}
        confirmLabel={t("Delete")}
        onConfirm={() => {
          setAsking(false);
          deeds.deleteComment(thread, comment);
        }}
      />
    </>
  );
}
