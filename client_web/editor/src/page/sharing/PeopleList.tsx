/** Everybody with access to the document, and for its owner the ways to change that.
 *
 * Guests who came by the link are counted in one row, which shows them when asked.
 */
import { ChevronDown, Crown, UserMinus, Users } from "lucide-react";
import { useState } from "react";
import type { GivenRole, LinkAccess, SharedPerson } from "../../api/sharing";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
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

export function PeopleList(props: PeopleListProps) {
  const guests = props.people.filter((person) => isGuest(person) && person.user.id !== props.ownId);
  const named = props.people.filter((person) => !guests.includes(person));
  return (
    <ul className="page-access" aria-label={t("People with access")}>
      <Rows {...props} people={named} />
      {guests.length > 0 && <Guests {...props} people={guests} />}
    </ul>
  );
}

function Guests(props: PeopleListProps) {
  const [isOpen, setOpen] = useState(false);
  const count = props.people.length;
  return (
    <li className="page-access-guests">
      <div className="page-access-row">
        <span className="page-access-icon">
          <Users aria-hidden="true" size={18} />
        </span>
        <div className="page-access-who">
          <span className="page-access-name">
            {t("{count, plural, one {# guest} other {# guests}}", { count })}
          </span>
          <span className="page-access-note">{t("Came by the link, without an account")}</span>
        </div>
        <Button
          size="small"
          variant="ghost"
          className="page-role"
          aria-expanded={isOpen}
          aria-label={isOpen ? t("Hide the guests") : t("Show the guests")}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? t("Hide") : t("Show")}
          <ChevronDown aria-hidden="true" size={15} />
        </Button>
      </div>
      {isOpen && (
        <ul className="page-access" aria-label={t("Guests")}>
          <Rows {...props} />
        </ul>
      )}
    </li>
  );
}

function Rows({ people, linkRole, ownId, mayShare, disabled, ...act }: PeopleListProps) {
  return (
    <>
      {people.map((person) => (
        <li key={person.user.id} className="page-access-row">
          <Avatar aria-hidden="true" name={nameOf(person)} color={person.user.color} size={34} />
          <div className="page-access-who">
            <span className="page-access-name" dir="auto">
              {nameOf(person)}
              {person.user.id === ownId && <span className="page-access-you"> {t("(you)")}</span>}
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
                  {t("Make the owner…")}
                </MenuItem>
              )}
              <MenuItem icon={UserMinus} tone="danger" onSelect={() => act.onRemove(person)}>
                {t("Remove access…")}
              </MenuItem>
            </RoleMenu>
          ) : (
            <RoleWord role={person.role} />
          )}
        </li>
      ))}
    </>
  );
}

export function nameOf({ user, email }: SharedPerson): string {
  return user.name.trim() || email || user.id;
}

function Note({ person, linkRole }: { readonly person: SharedPerson } & Pick<PeopleListProps, "linkRole">) {
  if (linkRole !== null && isStronger(linkRole, person.role))
    return (
      <span className="page-access-note">{t("{role} by the link", { role: ROLE_NAMES[linkRole] })}</span>
    );
  const address = person.email !== null && person.email !== nameOf(person) ? person.email : null;
  const note =
    person.via === "link" ? t("Came by the link") : isInvited(person) ? t("Has not signed in yet") : address;
  return note === null ? null : <span className="page-access-note">{note}</span>;
}

/** Somebody who came by the link and is known by a cookie alone. */
function isGuest({ user, via }: SharedPerson): boolean {
  return via === "link" && user.id.startsWith("guest-");
}

/** Somebody who is known by an e-mail address alone has no account yet that could own anything. */
function isInvited({ user }: SharedPerson): boolean {
  return user.id.startsWith("email:");
}
