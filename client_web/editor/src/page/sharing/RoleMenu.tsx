/** A role as a button that opens the choice of others. */
import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import type { GivenRole, Role } from "../../api/sharing";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Menu, MenuChoice } from "../../ui/Menu";
import { GIVEN_ROLES, ROLE_NAMES } from "./roles";

export interface RoleMenuProps {
  /** Whose role it is, read out before the role. */
  readonly whose: string;
  readonly role: GivenRole;
  readonly disabled: boolean;
  readonly onChange: (role: GivenRole) => void;
  /** Further commands below the roles. */
  readonly children?: ReactNode;
}

export function RoleMenu({ whose, role, disabled, onChange, children }: RoleMenuProps) {
  return (
    <Menu
      align="end"
      trigger={
        <Button
          size="small"
          variant="ghost"
          className="page-role"
          disabled={disabled}
          aria-label={`${whose}: ${ROLE_NAMES[role]}`}
        >
          {ROLE_NAMES[role]}
          <ChevronDown aria-hidden="true" size={15} />
        </Button>
      }
    >
      <MenuChoice label={t("Role")} value={role} onChange={onChange} options={GIVEN_ROLES} />
      {children}
    </Menu>
  );
}

/** A role that this person cannot change. */
export function RoleWord({ role }: { readonly role: Role }) {
  return <span className="page-role-word">{ROLE_NAMES[role]}</span>;
}
