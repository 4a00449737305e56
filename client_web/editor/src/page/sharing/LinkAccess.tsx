/** What the document's link lets people do who were not asked in by name. */
import { ChevronDown, Globe, Lock, RefreshCw } from "lucide-react";
import type { GivenRole, LinkAccess } from "../../api/sharing";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Menu, MenuChoice } from "../../ui/Menu";
import { RoleMenu, RoleWord } from "./RoleMenu";
import { LINK_POWERS } from "./roles";

export interface LinkSectionProps {
  readonly link: LinkAccess;
  readonly mayShare: boolean;
  readonly disabled: boolean;
  /** null: nobody comes in by the link. */
  readonly onRole: (role: GivenRole | null) => void;
  readonly onRenew: () => void;
}

const REACHES = [
  { value: "restricted", label: t("Restricted"), icon: Lock },
  { value: "link", label: t("Anyone with the link"), icon: Globe },
] as const;

export function LinkSection({ link, mayShare, disabled, onRole, onRenew }: LinkSectionProps) {
  const reach = link.role === null ? REACHES[0] : REACHES[1];
  const Icon = reach.icon;
  return (
    <div className="page-access-row page-access-link">
      <span className="page-access-icon" data-open={link.role !== null}>
        <Icon aria-hidden="true" size={18} />
      </span>
      <div className="page-access-who">
        {mayShare ? (
          <Menu
            trigger={
              <Button
                size="small"
                variant="ghost"
                className="page-reach"
                disabled={disabled}
                aria-label={t("Link: {who}", { who: reach.label })}
              >
                {reach.label}
                <ChevronDown aria-hidden="true" size={15} />
              </Button>
            }
          >
            <MenuChoice
              label={t("Who can open the link")}
              value={reach.value}
              options={REACHES}
              onChange={(value) => onRole(value === "restricted" ? null : (link.role ?? "viewer"))}
            />
          </Menu>
        ) : (
          <span className="page-access-name">{reach.label}</span>
        )}
        <span className="page-access-note">{hintOf(link, mayShare)}</span>
        {mayShare && link.role !== null && (
          <Button
            size="small"
            variant="ghost"
            icon={RefreshCw}
            className="page-renew"
            disabled={disabled}
            onClick={onRenew}
          >
            {t("Make a new link…")}
          </Button>
        )}
      </div>
      {link.role !== null &&
        (mayShare ? (
          <RoleMenu
            whose={t("Whoever has the link")}
            role={link.role}
            disabled={disabled}
            onChange={onRole}
          />
        ) : (
          <RoleWord role={link.role} />
        ))}
    </div>
  );
}

function hintOf({ role, addressAlone, url, reopens }: LinkAccess, mayShare: boolean): string {
  if (role === null && reopens && mayShare)
    return t("Only the people above can open it. The link that was sent works again when you open it.");
  if (role === null) return t("Only the people above can open it.");
  if (mayShare && !addressAlone && url === null)
    return t("The link that is out there works, but cannot be shown any more.");
  const power = LINK_POWERS[role];
  if (addressAlone) return `${power} ${t("The address of this page is the link.")}`;
  return mayShare ? `${power} ${t("The bare address of this page does not open it.")}` : power;
}
