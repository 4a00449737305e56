/** What the roles are called, and what they let people do. */
import { Eye, MessageSquareText, PencilLine } from "lucide-react";
import type { GivenRole, Role } from "../../api/sharing";
import { t } from "../../i18n/t";

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  owner: t("Owner"),
  editor: t("Editor"),
  commenter: t("Commenter"),
  viewer: t("Viewer"),
};

/** What this person may do, who does not own the document. */
export const OWN_POWERS: Readonly<Record<GivenRole, string>> = {
  editor: t("You can read and edit it."),
  commenter: t("You can read and comment on it."),
  viewer: t("You can read it."),
};

export const LINK_POWERS: Readonly<Record<GivenRole, string>> = {
  editor: t("Whoever has the link can read and edit it."),
  commenter: t("Whoever has the link can read and comment on it."),
  viewer: t("Whoever has the link can read it."),
};

/** Whom a link lets in, said beside the button that copies it. */
export const LINK_REACHES: Readonly<Record<GivenRole, string>> = {
  editor: t("Opens for anyone who has it: they can read and edit."),
  commenter: t("Opens for anyone who has it: they can read and comment."),
  viewer: t("Opens for anyone who has it: they can read."),
};

export const LINK_IS_CLOSED = t("Opens only for the people with access.");

const STRENGTH: readonly Role[] = ["viewer", "commenter", "editor", "owner"];

/** Whether the one role includes more than the other. */
export function isStronger(one: Role, other: Role): boolean {
  return STRENGTH.indexOf(one) > STRENGTH.indexOf(other);
}

export const GIVEN_ROLES: readonly {
  readonly value: GivenRole;
  readonly label: string;
  readonly icon: typeof Eye;
}[] = [
  { value: "viewer", label: ROLE_NAMES.viewer, icon: Eye },
  { value: "commenter", label: ROLE_NAMES.commenter, icon: MessageSquareText },
  { value: "editor", label: ROLE_NAMES.editor, icon: PencilLine },
];
