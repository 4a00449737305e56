/** Whole pages for when there is no document to show: not yet, not here, or not any more. */

import type { ProviderState } from "@manyhands/provider";
import { CloudOff, Copy, Download, FileX, LockKeyhole, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { earlyWords } from "../api/early";
import { refusalWords } from "../api/refusals";
import { t } from "../i18n/t";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { Skeleton } from "../ui/Skeleton";
import { BusyButton, type RescueActions } from "./Notices";
import { percentOf } from "./status";

const LINES = ["46%", "92%", "97%", "88%", "61%", "0", "94%", "90%", "96%", "38%"];

/** The sheet before its words have come; `progress` is that of a large document. */
export function LoadingScreen({ progress = null }: { readonly progress?: ProviderState["progress"] }) {
  const words = earlyWords();
  return (
    <main className="page page--loading" aria-busy="true">
      <div className="page-header page-header--empty" />
      <div className="page-desk">
        <div className="page-sheet page-sheet--empty">
          <p className="ui-hidden" role="status">
            {t("Opening the document")}
          </p>
          {progress && progress.total > 0 ? (
            <label className="page-progress">
              {t("Fetching the document: {percent} %", { percent: percentOf(progress) })}
              <progress max={progress.total} value={progress.received} />
            </label>
          ) : null}
          {words ? (
            <div ref={(place) => place?.append(words)} />
          ) : (
            LINES.map((width, index) => (
              <Skeleton
                // biome-ignore lint/suspicious/noArrayIndexKey: the lines never change
                key={index}
                width={width}
                height={index === 0 ? "2rem" : "1rem"}
              />
            ))
          )}
        </div>
      </div>
    </main>
  );
}

export interface OfflineScreenProps {
  /** Why the server takes no connection; null when it does not answer. */
  readonly turnedAway: ProviderState["turnedAway"];
  readonly onRetry: () => void;
}

export function OfflineScreen({ turnedAway, onRetry }: OfflineScreenProps) {
  return (
    <Screen
      icon={<CloudOff size={44} strokeWidth={1.4} />}
      title={
        turnedAway
          ? t("The server does not let this page in")
          : t("You are offline, and this device has no copy yet")
      }
      action={
        <>
          <Button variant="primary" icon={RotateCcw} onClick={onRetry}>
            {t("Try again")}
          </Button>
          <HomeLink />
        </>
      }
    >
      {turnedAway ? refusalWords(turnedAway) : t("The server cannot be reached.")}{" "}
      {t(
        "The document opens by itself as soon as it can; after that, it can be read and changed without a connection too.",
      )}
    </Screen>
  );
}

export function GoneScreen({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Screen icon={<FileX size={44} strokeWidth={1.4} />} title={title} action={<HomeLink />}>
      {children}
    </Screen>
  );
}

export interface LostAccessScreenProps extends RescueActions {
  /** How many of this person's changes the server has not taken. */
  readonly unsaved: number;
  /** Whether the server says that the access was taken away; else it may be the document that is gone. */
  readonly wasTaken: boolean;
  readonly onRetry: () => void;
}

/** The words stay on this device until the person has decided about them. */
export function LostAccessScreen({ unsaved, wasTaken, onRetry, ...rescue }: LostAccessScreenProps) {
  return (
    <Screen
      icon={<LockKeyhole size={44} strokeWidth={1.4} />}
      title={wasTaken ? t("You no longer have access") : t("This document is not there for you any more")}
      action={
        <>
          <Button variant="primary" icon={RotateCcw} onClick={onRetry}>
            {t("Try again")}
          </Button>
          <Button icon={Download} onClick={rescue.onDownload}>
            {t("Download a copy")}
          </Button>
          <BusyButton
            icon={Copy}
            label={t("Save as new document")}
            size="medium"
            onPress={rescue.onSaveAsNew}
          />
          <HomeLink />
        </>
      }
    >
      {wasTaken
        ? t(
            "The owner of this document has taken you off it, or changed its link. Ask them if you still need it.",
          )
        : t("It was deleted, or its owner has taken you off it.")}{" "}
      {unsaved > 0
        ? t(
            "{count, plural, one {One change} other {# changes}} of yours did not reach the server: the copy on this device has everything.",
            { count: unsaved },
          )
        : t("The copy on this device is still yours to save.")}
    </Screen>
  );
}

export interface CrashScreenProps {
  readonly error: unknown;
  readonly onDownload: () => void;
}

export function CrashScreen({ error, onDownload }: CrashScreenProps) {
  return (
    <Screen
      icon={<RotateCcw size={44} strokeWidth={1.4} />}
      title={t("The editor has stopped working")}
      action={
        <>
          <Button variant="primary" onClick={() => window.location.reload()}>
            {t("Reload the page")}
          </Button>
          <Button onClick={onDownload}>{t("Download a copy")}</Button>
        </>
      }
    >
      {t(
        "Only the view is broken, the document is whole: what was saved is on the server, and everything you wrote is in the copy on this device.",
      )}
      <code>{error instanceof Error ? error.message : String(error)}</code>
    </Screen>
  );
}

interface ScreenProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly action: ReactNode;
  readonly children: ReactNode;
}

function Screen({ icon, title, action, children }: ScreenProps) {
  return (
    <main className="page-screen">
      <EmptyState level={1} picture={icon} title={title} action={action}>
        <p>{children}</p>
      </EmptyState>
    </main>
  );
}

function HomeLink() {
  return (
    <Link href="/" className="ui-button ui-button--secondary">
      {t("All documents")}
    </Link>
  );
}
