/** What the page says about the document's safety: one label, one tone, and the facts behind them. */

import type { ProviderState, ServerError } from "@manyhands/provider";

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
      "Signed out",
      "warning",
      `The server does not know who you are. ${keptWords(state)}`,
    );
  }
  if (state.closed) return said("closed", "Closed", "danger", state.closed.message);
  if (state.refusal) {
    return said(
      "refused",
      "Not saved",
      "danger",
      `The server did not take a change: ${sentence(state.refusal.message)} Everything is still here on this device, and nothing more is sent.`,
    );
  }
  if (state.status !== "synced") return apart(state);
  if (state.unsaved === 0) {
    return said("saved", "Saved", "quiet", "Every change is stored safely on the server.");
  }
  if (state.durability === "waiting") {
    return said(
      "waiting",
      "Not saved – the server cannot store",
      "warning",
      `The server is connected, but its storage takes nothing at the moment. ${keptWords(state)} They are sent again by themselves.`,
    );
  }
  return said("saving", "Saving…", "working", "Changes are on their way to the server.");
}

/** The rows below the explanation. `now` and `lastSavedAt` are milliseconds since 1970. */
export function factsOf(state: ProviderState, now: number): readonly Fact[] {
  return [
    { name: "Connection", value: state.turnedAway ? "Turned away by the server" : CONNECTION[state.status] },
    { name: "Waiting to be saved", value: count(state.unsaved, "change") },
    {
      name: "Last saved",
      value: state.lastSavedAt === null ? "Nothing yet on this page" : ago(state.lastSavedAt, now),
    },
    { name: "Offline copy", value: OFFLINE_COPY[state.offlineCopy] },
  ];
}

function apart(state: ProviderState): Status {
  if (state.status === "syncing") {
    const { progress } = state;
    const percent = progress && progress.total > 0 ? ` ${percentOf(progress)} %` : "";
    return said(
      "syncing",
      `Syncing…${percent}`,
      "working",
      "The server and this page are exchanging what each of them lacks.",
    );
  }
  if (state.turnedAway) return turnedAway(state, state.turnedAway);
  if (state.status === "connecting") {
    return said("connecting", "Connecting…", "working", `Looking for the server. ${keptWords(state)}`);
  }
  if (state.unsaved === 0) {
    return said("offline", "Offline", "warning", "The server cannot be reached. You can go on writing.");
  }
  if (state.offlineCopy === "writing") {
    return said(
      "offline-keeping",
      "Offline – keeping changes…",
      "warning",
      "The server cannot be reached. Your last changes are being written to this device.",
    );
  }
  if (state.offlineCopy === "ok") {
    return said(
      "offline-kept",
      "Offline – kept on this device",
      "warning",
      "The server cannot be reached. Your changes are kept in this browser and sent as soon as it is back.",
    );
  }
  return said(
    "offline-unkept",
    "Offline – not saved",
    "danger",
    "The server cannot be reached, and this browser does not let the page keep a copy. Leave this page open, or download a copy.",
  );
}

/** There is a server, and it takes no connection: going on writing is as safe as offline. */
function turnedAway(state: ProviderState, { message }: ServerError): Status {
  const { label, kind, tone } = apart({ ...state, status: "offline", turnedAway: null });
  return said(
    kind,
    label.replace("Offline", "Not connected"),
    tone,
    `The server is there, but does not let this page in: ${sentence(message)} The page tries again by itself. ${keptWords(state)}`,
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

const CONNECTION = {
  offline: "None",
  connecting: "Connecting…",
  syncing: "Syncing…",
  synced: "Connected",
} as const;

const OFFLINE_COPY = {
  ok: "Kept in this browser",
  writing: "Being written in this browser",
  unavailable: "Not possible in this browser",
  off: "Switched off",
} as const;

function said(kind: StatusKind, label: string, tone: StatusTone, explanation: string): Status {
  return { kind, label, tone, explanation };
}

function keptWords({ unsaved, offlineCopy }: ProviderState): string {
  if (unsaved === 0) return "Nothing is waiting to be saved.";
  return offlineCopy === "ok" || offlineCopy === "writing"
    ? "Your changes are kept in this browser."
    : "Leave this page open until they are saved.";
}

function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

function count(number: number, noun: string): string {
  if (number === 0) return "Nothing";
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 10) return "Just now";
  if (seconds < 60) return `${seconds} seconds ago`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return minutes === 1 ? "1 minute ago" : `${minutes} minutes ago`;
  return new Date(then).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
