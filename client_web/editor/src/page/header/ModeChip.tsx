/** Says beside the title that this person reads, and does not write. */
import { Eye } from "lucide-react";
import { t } from "../../i18n/t";
import { Tooltip } from "../../ui/Tooltip";
import type { ReadOnly } from "../access";

const MODES = {
  viewer: {
    icon: Eye,
    label: t("View only"),
    why: t("You can read this document. Its owner can let you edit."),
  },
} as const;

export function ModeChip({ because }: { readonly because: ReadOnly | null }) {
  if (because?.reason !== "role") return null;
  const { icon: Icon, label, why } = MODES[because.role];
  return (
    <Tooltip label={why}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard reaches the tooltip by it */}
      <span className="page-mode" role="note" aria-label={`${label}. ${why}`} tabIndex={0}>
        <Icon aria-hidden="true" size={15} />
        <span className="page-mode-label">{label}</span>
      </span>
    </Tooltip>
  );
}
