/** Tells screen readers when the document's safety changes, what they may do, or that somebody asks for access; not at every keystroke that is being saved. */

import type { Provider, Role } from "@manyhands/provider";
import { useEffect, useState } from "react";
import { t } from "../i18n/t";
import { askingWords } from "./sharing/useRequests";
import type { StatusKind } from "./status";
import { useSteadyState } from "./useProvider";
import { useStatus } from "./useStatus";

const PASSING: ReadonlySet<StatusKind> = new Set(["saving", "syncing", "connecting", "offline-keeping"]);

const MODES: Readonly<Record<Role, string>> = {
  owner: t("You own this document."),
  editor: t("You may edit this document."),
  commenter: t("You may read this document and comment on it."),
  viewer: t("You may read this document."),
};

export interface AnnouncerProps {
  readonly provider: Provider;
  /** How many people ask for access. */
  readonly asking: number;
}

export function Announcer({ provider, asking }: AnnouncerProps) {
  const state = useSteadyState(provider);
  const { kind, label } = useStatus(provider);
  const [said, setSaid] = useState<{ readonly kind: StatusKind; readonly label: string } | null>(null);
  useEffect(() => {
    if (!PASSING.has(kind)) setSaid((before) => (before?.kind === kind ? before : { kind, label }));
  }, [kind, label]);
  return (
    <>
      <p className="ui-hidden" aria-live="polite">
        {said?.label}
      </p>
      <p className="ui-hidden" aria-live="polite">
        {state.role && MODES[state.role]}
      </p>
      <p className="ui-hidden" aria-live="polite">
        {asking > 0 && askingWords(asking)}
      </p>
    </>
  );
}
