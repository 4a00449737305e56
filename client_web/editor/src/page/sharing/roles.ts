/** What the roles are called, and what they let people do. */
import { Eye, MessageSquareText, PencilLine } from "lucide-react";
import type { GivenRole, Role } from "../../api/sharing";

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  owner: "Owner",
  editor: "Editor",
  commenter: "Commenter",
  viewer: "Viewer",
};

/** After "You" or "Whoever has the link". */
export const ROLE_POWERS: Readonly<Record<Role, string>> = {
  owner: "can edit, share and delete it",
  editor: "can read and edit it",
  commenter: "can read and comment on it",
  viewer: "can read it",
};

/** Whom a link lets in, said beside the button that copies it. */
export const LINK_REACHES: Readonly<Record<GivenRole, string>> = {
  editor: "Opens for anyone who has it: they can read and edit.",
  commenter: "Opens for anyone who has it: they can read and comment.",
  viewer: "Opens for anyone who has it: they can read.",
};

export const LINK_IS_CLOSED = "Opens only for the people with access.";

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
