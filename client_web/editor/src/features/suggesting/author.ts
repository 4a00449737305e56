/** Whoever suggests, as suggestions name them, and why something is not suggested. */

/** Who suggests, and by which names new suggestions go. */
export interface Author {
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly newId: () => string;
  readonly newRun: () => number;
  /** Whether words may still be added to a run of typing. */
  readonly isOpen: (run: number) => boolean;
  /** Whether what has been proposed before may be asked for again, and is not taken back by that. */
  readonly repeats?: boolean;
}

/** Why something cannot be suggested. */
export type Refusal = "table" | "structure";

/** Stops a translation. */
export class Refused extends Error {
  readonly reason: Refusal;
  constructor(reason: Refusal) {
    super(reason);
    this.reason = reason;
  }
}
