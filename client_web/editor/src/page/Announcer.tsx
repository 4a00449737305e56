/** Tells screen readers when the document's safety changes, or what they may do; not at every keystroke that is being saved. */

import type { Provider, Role } from "@manyhands/provider";
import { useEffect, useState } from "react";
import type { StatusKind } from "./status";
import { useSteadyState } from "./useProvider";
import { useStatus } from "./useStatus";

const PASSING: ReadonlySet<StatusKind> = new Set(["saving", "syncing", "connecting", "offline-keeping"]);

const MODES: Readonly<Record<Role, string>> = {
  owner: "You own this document.",
  editor: "You may edit this document.",
  commenter: "You may read this document and comment on it.",
  viewer: "You may read this document.",
};

export function Announcer({ provider }: { readonly provider: Provider }) {
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
    </>
  );
}
