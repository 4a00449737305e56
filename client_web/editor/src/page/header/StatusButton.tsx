/** The document's safety in two words; the details on a click. */

import type { Provider } from "@manyhands/provider";
import {
  CircleAlert,
  CloudAlert,
  CloudCheck,
  CloudOff,
  CloudUpload,
  KeyRound,
  type LucideIcon,
  RefreshCw,
  TriangleAlert,
} from "lucide-react";
import { useState } from "react";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { Popover } from "../../ui/Popover";
import { factsOf, type Status, type StatusKind, statusOf } from "../status";
import { useProviderState } from "../useProvider";
import { useStatus } from "../useStatus";

export interface StatusButtonProps {
  readonly provider: Provider;
}

/** What turns draws a frame of the page sixty times a second: not while somebody types. */
const ICONS: Readonly<Record<StatusKind, LucideIcon>> = {
  closed: CircleAlert,
  "signed-out": KeyRound,
  refused: TriangleAlert,
  waiting: CloudAlert,
  offline: CloudOff,
  "offline-keeping": CloudOff,
  "offline-kept": CloudOff,
  "offline-unkept": TriangleAlert,
  connecting: RefreshCw,
  syncing: RefreshCw,
  saving: CloudUpload,
  saved: CloudCheck,
};

export function StatusButton({ provider }: StatusButtonProps) {
  /** When the details were opened: their times are told from then. */
  const [openedAt, setOpenedAt] = useState<number | null>(null);
  const status = useStatus(provider);
  return (
    <Popover
      label={t("Is everything saved?")}
      align="start"
      open={openedAt !== null}
      onOpenChange={(isOpen) => setOpenedAt(isOpen ? Date.now() : null)}
      className="page-status-details"
      trigger={<Trigger status={status} />}
    >
      <Details provider={provider} openedAt={openedAt ?? 0} />
    </Popover>
  );
}

interface DetailsProps {
  readonly provider: Provider;
  readonly openedAt: number;
}

function Details({ provider, openedAt }: DetailsProps) {
  const state = useProviderState(provider);
  const status = statusOf(state);
  return (
    <>
      <h2 className="page-status-title">{status.label}</h2>
      <p>{status.explanation}</p>
      <dl className="page-status-facts">
        {factsOf(state, openedAt).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {state.status === "offline" && (
        <div className="page-status-actions">
          <Button size="small" icon={RefreshCw} onClick={() => provider.reconnectNow()}>
            {t("Connect now")}
          </Button>
        </div>
      )}
    </>
  );
}

function Trigger({ status, ...rest }: { readonly status: Status }) {
  const Icon = ICONS[status.kind];
  return (
    <button
      type="button"
      {...rest}
      className={classes("page-status", `page-status--${status.tone}`)}
      aria-label={t("{status}. Details", { status: status.label })}
    >
      <Icon
        aria-hidden="true"
        size={16}
        className={classes(ICONS[status.kind] === RefreshCw && "page-status-turning")}
      />
      <span className="page-status-label">{status.label}</span>
    </button>
  );
}
