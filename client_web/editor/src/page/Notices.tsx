/** Lines across the page for states in which it is not an ordinary document. */

import {
  ArchiveRestore,
  CircleAlert,
  Copy,
  Download,
  Eye,
  HardDriveDownload,
  KeyRound,
  RotateCcw,
  ShieldAlert,
  Trash2,
} from "lucide-react";
import { SignInLink } from "../account/SignInPage";
import { refusalWords } from "../api/refusals";
import { signInAddress, useStanding } from "../api/whoAmI";
import { t } from "../i18n/t";
import { useUpdates } from "../service-worker/updates";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import type { ReadOnly } from "./access";
import { useBusy } from "./useBusy";

export interface RescueActions {
  readonly onDownload: () => void;
  readonly onSaveAsNew: () => Promise<void>;
}

export interface ReadOnlyNoticeProps extends RescueActions {
  readonly because: ReadOnly;
  readonly mayRestore: boolean;
  readonly onRestore: () => Promise<void>;
  /** Open the document anew. */
  readonly onReopen: () => void;
}

export function ReadOnlyNotice(props: ReadOnlyNoticeProps) {
  const { because, mayRestore, onRestore, onReopen, onDownload, onSaveAsNew } = props;
  switch (because.reason) {
    case "trashed":
      return (
        <Banner
          icon={Trash2}
          tone="warning"
          action={mayRestore && <BusyButton icon={ArchiveRestore} label={t("Restore")} onPress={onRestore} />}
        >
          {t("This document is in the trash. It can be read, but not changed.")}
        </Banner>
      );
    case "quarantined":
      return (
        <Banner icon={ShieldAlert} tone="danger" action={<DownloadButton onDownload={onDownload} />}>
          {t(
            "The server holds this document read-only, because part of its stored state cannot be worked with. Everything is kept.",
          )}
        </Banner>
      );
    case "role":
      return null; // the header says it
    case "signed out":
      return <SignedOutNotice onDownload={onDownload} onReopen={onReopen} />;
    case "format":
      return (
        <Banner
          icon={because.isOver ? RotateCcw : Eye}
          tone="warning"
          action={
            <span className="page-notice-actions">
              <DownloadButton onDownload={onDownload} />
              <RenewButton />
            </span>
          }
        >
          {refusalWords({ code: "other_format", message: because.message })}{" "}
          {because.isOver
            ? t("What you wrote is kept on this device, and is sent once the page is loaded anew.")
            : t(
                "Nothing of it is lost. If a newer version of this page is out, loading the page anew brings it.",
              )}
        </Banner>
      );
    case "foreign":
      return (
        <Banner
          icon={Eye}
          tone="warning"
          action={<BusyButton icon={Copy} label={t("Edit a copy")} onPress={onSaveAsNew} />}
        >
          {t(
            "This document holds content of another application ({names}), which editing here would destroy. It is shown read-only; what cannot be shown is marked.",
            { names: namesOf(because.foreign) },
          )}
        </Banner>
      );
    case "closed":
      return (
        <Banner
          icon={CircleAlert}
          tone="danger"
          action={
            <span className="page-notice-actions">
              <DownloadButton onDownload={onDownload} />
              <BusyButton icon={Copy} label={t("Save as new document")} onPress={onSaveAsNew} />
            </span>
          }
        >
          {t("This document was closed: {why} What you see is the copy on this device.", {
            why: refusalWords(because.error),
          })}
        </Banner>
      );
  }
}

function SignedOutNotice({ onDownload, onReopen }: Pick<ReadOnlyNoticeProps, "onDownload" | "onReopen">) {
  const address = signInAddress(useStanding(), window.location);
  return (
    <Banner
      icon={KeyRound}
      tone="warning"
      action={
        <span className="page-notice-actions">
          <DownloadButton onDownload={onDownload} />
          <Button size="small" icon={RotateCcw} onClick={onReopen}>
            {t("Try again")}
          </Button>
          {address && <SignInLink address={address} />}
        </span>
      }
    >
      {t(
        "You are signed out. What you see is the copy on this device; what is not saved yet is sent when you are signed in again.",
      )}
    </Banner>
  );
}

export interface RefusalNoticeProps extends RescueActions {
  /** The server's reason, in a sentence. */
  readonly why: string;
  readonly onDiscard: () => void;
}

/** What happened, and what can be done, when the server did not take a change. */
export function RefusalNotice({ why, onDownload, onSaveAsNew, onDiscard }: RefusalNoticeProps) {
  return (
    <Banner
      icon={CircleAlert}
      tone="danger"
      action={
        <span className="page-notice-actions">
          <DownloadButton onDownload={onDownload} />
          <BusyButton icon={Copy} label={t("Save as new document")} onPress={onSaveAsNew} />
          <Button size="small" variant="danger" icon={HardDriveDownload} onClick={onDiscard}>
            {t("Reload from the server")}
          </Button>
        </span>
      }
    >
      {t(
        "The server did not take a change: {why} Your words are still here on this device, but nothing more is sent.",
        { why },
      )}
    </Banner>
  );
}

export interface SetAsideNoticeProps {
  readonly count: number;
  readonly onDismiss: () => void;
}

/** Changes that the server could not work with, and keeps apart; everybody goes on without them. */
export function SetAsideNotice({ count, onDismiss }: SetAsideNoticeProps) {
  return (
    <Banner
      icon={ShieldAlert}
      tone="warning"
      action={
        <Button size="small" onClick={onDismiss}>
          {t("Hide")}
        </Button>
      }
    >
      {t(
        "{count, plural, one {One change in this document could not be applied and is kept aside on the server; everything else is here. Whoever runs the server can look at it with “manyhands doctor”.} other {# changes in this document could not be applied and are kept aside on the server; everything else is here. Whoever runs the server can look at them with “manyhands doctor”.}}",
        { count },
      )}
    </Banner>
  );
}

export interface SeparateCopyNoticeProps {
  readonly count: number;
  readonly onDownload: () => Promise<void>;
  readonly onDelete: () => Promise<void>;
}

/** The document began anew, for instance from a backup, while this device held changes of its earlier life. */
export function SeparateCopyNotice({ count, onDownload, onDelete }: SeparateCopyNoticeProps) {
  return (
    <Banner
      icon={HardDriveDownload}
      tone="warning"
      action={
        <span className="page-notice-actions">
          <BusyButton icon={Download} label={t("Download")} onPress={onDownload} />
          <BusyButton icon={Trash2} label={t("Delete from this device")} onPress={onDelete} />
        </span>
      }
    >
      {t("The server has begun this document anew, perhaps from a backup.")}{" "}
      {t(
        "{count, plural, one {What this device held before is kept as a separate copy.} other {# versions that this device held before are kept as separate copies.}}",
        { count },
      )}
    </Banner>
  );
}

function DownloadButton({ onDownload }: { readonly onDownload: () => void }) {
  return (
    <Button size="small" icon={Download} onClick={onDownload}>
      {t("Download a copy")}
    </Button>
  );
}

function RenewButton() {
  const { renew } = useUpdates();
  return <BusyButton icon={RotateCcw} label={t("Reload the page")} onPress={renew} />;
}

interface BusyButtonProps {
  readonly icon: typeof Copy;
  readonly label: string;
  readonly onPress: () => Promise<void>;
  readonly size?: "small" | "medium";
}

export function BusyButton({ icon, label, onPress, size = "small" }: BusyButtonProps) {
  const [isBusy, run] = useBusy();
  return (
    <Button size={size} icon={icon} busy={isBusy} onClick={() => run(onPress)}>
      {label}
    </Button>
  );
}

function namesOf(foreign: Extract<ReadOnly, { reason: "foreign" }>["foreign"]): string {
  const names = foreign.map(({ name }) => name);
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3
    ? t("{names} and {count, number} more", { names: shown, count: names.length - 3 })
    : shown;
}
