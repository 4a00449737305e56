/** Who asks for access: let in with a role, or refused. */
import { ChevronDown } from "lucide-react";
import type { AccessRequest, GivenRole } from "../../api/sharing";
import { relativeTime } from "../../documents/times";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
import { Menu, MenuItem, MenuLabel } from "../../ui/Menu";
import { GIVEN_ROLES } from "./roles";

export interface RequestsSectionProps {
  readonly requests: readonly AccessRequest[];
  readonly disabled: boolean;
  readonly onGrant: (request: AccessRequest, role: GivenRole) => void;
  readonly onRefuse: (request: AccessRequest) => void;
}

export function RequestsSection({ requests, disabled, onGrant, onRefuse }: RequestsSectionProps) {
  if (requests.length === 0) return null;
  const now = new Date();
  return (
    <>
      <h3 className="page-access-heading">{t("Asking for access")}</h3>
      <ul className="page-access page-access-requests" aria-label={t("Asking for access")}>
        {requests.map((request) => {
          const name = request.user.name.trim() || request.email || request.user.id;
          return (
            <li key={request.user.id} className="page-access-row">
              <Avatar aria-hidden="true" name={name} color={request.user.color} size={34} />
              <div className="page-access-who">
                <span className="page-access-name" dir="auto">
                  {name}
                </span>
                <span className="page-access-note">{askedWords(request, name, now)}</span>
              </div>
              <Button
                size="small"
                variant="ghost"
                disabled={disabled}
                aria-label={t("Refuse {name}", { name })}
                onClick={() => onRefuse(request)}
              >
                {t("Refuse")}
              </Button>
              <Menu
                align="end"
                trigger={
                  <Button
                    size="small"
                    variant="primary"
                    disabled={disabled}
                    aria-label={t("Let {name} in", { name })}
                  >
                    {t("Let in")}
                    <ChevronDown aria-hidden="true" size={15} />
                  </Button>
                }
              >
                <MenuLabel>{t("Let in as")}</MenuLabel>
                {GIVEN_ROLES.map(({ value, label, icon }) => (
                  <MenuItem key={value} icon={icon} onSelect={() => onGrant(request, value)}>
                    {label}
                  </MenuItem>
                ))}
              </Menu>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function askedWords({ email, askedAt }: AccessRequest, name: string, now: Date): string {
  const when = relativeTime(askedAt, now);
  return email === null || email === name
    ? t("asked {when}", { when })
    : t("{email}, asked {when}", { email, when });
}
