/** Everybody with access to the document, and for its owner the ways to change that. */
import { Crown, UserMinus } from "lucide-react";
import type { GivenRole, LinkAccess, SharedPerson } from "../../api/sharing";
import { Avatar } from "../../ui/Avatar";
import { MenuItem, MenuSeparator } from "../../ui/Menu";
import { RoleMenu, RoleWord } from "./RoleMenu";
import { isStronger, ROLE_NAMES } from "./roles";

export interface PeopleListProps {
  readonly people: readonly SharedPerson[];
  /** What the link lets everybody do, whatever their own role. */
  readonly linkRole: LinkAccess["role"];
  readonly ownId: string | null;
  readonly mayShare: boolean;
  readonly disabled: boolean;
  readonly onRole: (person: SharedPerson, role: GivenRole) => void;
  readonly onTransfer: (person: SharedPerson) => void;
  readonly onRemove: (person: SharedPerson) => void;
}

export function PeopleList({ people, linkRole, ownId, mayShare, disabled, ...act }: PeopleListProps) {
  return (
    <ul className="page-access" aria-label="People with access">
      {people.map((person) => (
        <li key={person.user.id} className="page-access-row">
          <Avatar aria-hidden="true" name={nameOf(person)} color={person.user.color} size={34} />
          <div className="page-access-who">
            <span className="page-access-name" dir="auto">
              {nameOf(person)}
              {person.user.id === ownId && <span className="page-access-you"> (you)</span>}
            </span>
            <Note person={person} linkRole={linkRole} />
          </div>
          {mayShare && person.role !== "owner" ? (
            <RoleMenu
              whose={nameOf(person)}
              role={person.role}
              disabled={disabled}
              onChange={(role) => act.onRole(person, role)}
            >
              <MenuSeparator />
              {!isInvited(person) && (
                <MenuItem icon={Crown} onSelect={() => act.onTransfer(person)}>
                  Make the owner…
                </MenuItem>
              )}
              <MenuItem icon={UserMinus} tone="danger" onSelect={() => act.onRemove(person)}>
                Remove access…
              </MenuItem>
            </RoleMenu>
          ) : (
            <RoleWord role={person.role} />
          )}
        </li>
      ))}
    </ul>
  );
}

export function nameOf({ user, email }: SharedPerson): string {
  return user.name.trim() || email || user.id;
}

function Note({ person, linkRole }: { readonly person: SharedPerson } & Pick<PeopleListProps, "linkRole">) {
  if (linkRole !== null && isStronger(linkRole, person.role))
    return <span className="page-access-note">{ROLE_NAMES[linkRole]} by the link</span>;
  const address = person.email !== null && person.email !== nameOf(person) ? person.email : null;
  const note =
    person.via === "link" ? "Came by the link" : isInvited(person) ? "Has not signed in yet" : address;
  return note === null ? null : <span className="page-access-note">{note}</span>;
}

/** Somebody who is known by an e-mail address alone has no account yet that could own anything. */
function isInvited({ user }: SharedPerson): boolean {
  return user.id.startsWith("email:");
}
