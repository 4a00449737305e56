/** What tabs of one browser tell each other (tabs.ts). */

import type { KeptChange } from "./changes.js";

export type TabMessage =
  /** Somebody is here, or apart from the server from now on, and has this much. */
  | { readonly kind: "hello"; readonly stateVector: Uint8Array }
  /** What has been changed, or what another tab lacks in all. */
  | Heard
  /** The server has these changes, by name, with as much in them as is counted. */
  | { readonly kind: "saved"; readonly counts: ReadonlyMap<string, number> }
  | { readonly kind: "presence"; readonly clientId: number; readonly state: TabPresence };

export interface Heard {
  readonly kind: "heard";
  /** The life of the document that all this belongs to. */
  readonly epoch: number | null;
  /** What of it the server may not have. */
  readonly changes: readonly KeptChange[];
  /** The document as it is at that tab, as far as the other one lacks it. */
  readonly whole: {
    readonly update: Uint8Array;
    /** Every row up to this one is in it. */
    readonly applied: number | null;
    /** Whether the server may lack more of it than the changes. */
    readonly isAdrift: boolean;
    readonly isLoaded: boolean;
  } | null;
}

export type TabPresence = Readonly<Record<string, unknown>> | null;
