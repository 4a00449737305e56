/** Which editors may write the document: those that know its format, or all. */
import { Blocks, ChevronDown, ShieldCheck } from "lucide-react";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Menu, MenuChoice } from "../../ui/Menu";

export interface EditorsSectionProps {
  readonly anyFormat: boolean;
  readonly disabled: boolean;
  readonly onChange: (anyFormat: boolean) => void;
}

const REACHES = [
  { value: "known", label: t("Only editors that know everything in it"), icon: ShieldCheck },
  { value: "any", label: t("Any editor"), icon: Blocks },
] as const;

export function EditorsSection({ anyFormat, disabled, onChange }: EditorsSectionProps) {
  const reach = REACHES[anyFormat ? 1 : 0];
  const Icon = reach.icon;
  return (
    <>
      <h3 className="page-access-heading">{t("Other editors")}</h3>
      <div className="page-access-row page-access-link">
        <span className="page-access-icon">
          <Icon aria-hidden="true" size={18} />
        </span>
        <div className="page-access-who">
          <Menu
            trigger={
              <Button
                size="small"
                variant="ghost"
                className="page-reach"
                disabled={disabled}
                aria-label={t("Editors: {which}", { which: reach.label })}
              >
                {reach.label}
                <ChevronDown aria-hidden="true" size={15} />
              </Button>
            }
          >
            <MenuChoice
              label={t("Which editors may write")}
              value={reach.value}
              options={REACHES}
              onChange={(value) => onChange(value === "any")}
            />
          </Menu>
          <span className="page-access-note">
            {anyFormat
              ? t("An editor deletes what it does not know, for everybody: tasks, tables, pictures.")
              : t("Other editors show the document, and change nothing in it.")}
          </span>
        </div>
      </div>
    </>
  );
}
