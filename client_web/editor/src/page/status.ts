/** What the page says about the document's safety: one label, one tone, and the facts behind them. */

import type { ProviderState, ServerError } from "@manyhands/provider";
import { refusalWords } from "../api/refusals";
import { LOCALE } from "../i18n/language";
import { t } from "../i18n/t";

export type StatusKind =
  | "closed"
  | "signed-out"
  | "refused"
  | "waiting"
  | "offline"
  | "offline-keeping"
  | "offline-kept"
  | "offline-unkept"
  | "connecting"
  | "syncing"
  | "saving"
  | "saved";

export type StatusTone = "quiet" | "working" | "warning" | "danger";

export interface Status {
  readonly kind: StatusKind;
  readonly label: string;
  readonly tone: StatusTone;
  /** One or two sentences for the person who asks what the label means. */
  readonly explanation: string;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** Returns the most serious thing that is true. "Saved" is said only when the server holds everything durably. */
export function statusOf(state: ProviderState): Status {
  if (state.closed?.code === "unauthenticated") {
    return said(
      "signed-out",
      t("Signed out"),
      "warning",
      `${t("The server does not know who you are.")} ${keptWords(state)}`,
    );
  }
  if (state.closed) return said("closed", t("Closed"), "danger", refusalWords(state.closed));
  if (state.refusal) {
    return said(
      "refused",
      t("Not saved"),
      "danger",
      t(
        "The server did not take a change: {why} Everything is still here on this device, and nothing more is sent.",
        { why: sentence(refusalWords(state.refusal)) },
      ),
    );
  }
  if (state.status !== "synced") return apart(state);
  if (state.unsaved === 0) {
    return said("saved", t("Saved"), "quiet", t("Every change is stored safely on the server."));
  }
  if (state.durability === "waiting") {
    return said(
      "waiting",
      t("Not saved – the server cannot store"),
      "warning",
      [
        t("The server is connected, but its storage takes nothing at the moment."),
        keptWords(state),
        t("They are sent again by themselves."),
      ].join(" "),
    );
  }
  return said("saving", t("Saving…"), "working", t("Changes are on their way to the server."));
}

/** The rows below the explanation. `now` and `lastSavedAt` are milliseconds since 1970. */
export function factsOf(state: ProviderState, now: number): readonly Fact[] {
  return [
    {
      name: t("Connection"),
      value: state.turnedAway ? t("Turned away by the server") : CONNECTION[state.status],
    },
    {
      name: t("Waiting to be saved"),
      value: t("{count, plural, =0 {Nothing} one {# change} other {# changes}}", { count: state.unsaved }),
    },
    {
      name: t("Last saved"),
      value: state.lastSavedAt === null ? t("Nothing yet on this page") : ago(state.lastSavedAt, now),
    },
    { name: t("Offline copy"), value: OFFLINE_COPY[state.offlineCopy] },
  ];
}

function apart(state: ProviderState): Status {
  if (state.status === "syncing") {
    const { progress } = state;
    return said(
      "syncing",
      progress && progress.total > 0
        ? t("Syncing… {percent} %", { percent: percentOf(progress) })
        : t("Syncing…"),
      "working",
      t("The server and this page are exchanging what each of them lacks."),
    );
  }
  if (state.turnedAway) return turnedAway(state, state.turnedAway);
  if (state.status === "connecting") {
    return said(
      "connecting",
      t("Connecting…"),
      "working",
      `${t("Looking for the server.")} ${keptWords(state)}`,
    );
  }
  if (state.unsaved === 0) {
    return said(
      "offline",
      t("Offline"),
      "warning",
      t("The server cannot be reached. You can go on writing."),
    );
  }
  if (state.offlineCopy === "writing") {
    return said(
      "offline-keeping",
      t("Offline – keeping changes…"),
      "warning",
      t("The server cannot be reached. Your last changes are being written to this device."),
    );
  }
  if (state.offlineCopy === "ok") {
    return said(
      "offline-kept",
      t("Offline – kept on this device"),
      "warning",
      t(
        "The server cannot be reached. Your changes are kept in this browser and sent as soon as it is back.",
      ),
    );
  }
  return said(
    "offline-unkept",
    t("Offline – not saved"),
    "danger",
    t(
      "The server cannot be reached, and this browser does not let the page keep a copy. Leave this page open, or download a copy.",
    ),
  );
}

/** There is a server, and it takes no connection: going on writing is as safe as offline. */
function turnedAway(state: ProviderState, error: ServerError): Status {
  const { label, kind, tone } = apart({ ...state, status: "offline", turnedAway: null });
  return said(
    kind,
    TURNED_AWAY[kind] ?? label,
    tone,
    [
      t("The server is there, but does not let this page in: {why}", { why: sentence(refusalWords(error)) }),
      t("The page tries again by itself."),
      keptWords(state),
    ].join(" "),
  );
}

export function percentOf({
  received,
  total,
}: {
  readonly received: number;
  readonly total: number;
}): number {
  return Math.min(100, Math.floor((received / total) * 100));
}

const TURNED_AWAY: Readonly<Partial<Record<StatusKind, string>>> = {
  offline: t("Not connected"),
  "offline-keeping": t("Not connected – keeping changes…"),
  "offline-kept": t("Not connected – kept on this device"),
  "offline-unkept": t("Not connected – not saved"),
};

const CONNECTION = {
  offline: t("None|connection"),
  connecting: t("Connecting…"),
  syncing: t("Syncing…"),
  synced: t("Connected"),
} as const;

const OFFLINE_COPY = {
  ok: t("Kept in this browser"),
  writing: t("Being written in this browser"),
  unavailable: t("Not possible in this browser"),
  off: t("Switched off"),
} as const;

function said(kind: StatusKind, label: string, tone: StatusTone, explanation: string): Status {
  return { kind, label, tone, explanation };
}

function keptWords({ unsaved, offlineCopy }: ProviderState): string {
  if (unsaved === 0) return t("Nothing is waiting to be saved.");
  return offlineCopy === "ok" || offlineCopy === "writing"
    ? t("Your changes are kept in this browser.")
    : t("Leave this page open until they are saved.");
}

function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

const RELATIVE = new Intl.RelativeTimeFormat(LOCALE);

function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 10) return t("Just now");
  if (seconds < 60) return RELATIVE.format(-seconds, "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return RELATIVE.format(-minutes, "minute");
  return new Date(then).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
}
