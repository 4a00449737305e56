/** The question "leave this page?" while something would be lost or late. */

import type { Clock, Timer } from "./clock.js";

export type LeavingPage = Pick<Window, "addEventListener" | "removeEventListener">;

/** Browsers keep pages without such a listener at hand for "back". To add one tells other processes: too dear for each key. */
const CALM = 5_000;

/** Asks while `guard(true)` is the last word, and lets go of the page when that was not so for a while. */
export class LeaveGuard {
  private readonly page: LeavingPage;
  private readonly clock: Clock;
  private isNeeded = false;
  private timer: Timer | null = null;

  constructor(page: LeavingPage, clock: Clock) {
    this.page = page;
    this.clock = clock;
  }

  guard(needed: boolean): void {
    if (needed === this.isNeeded) return;
    this.isNeeded = needed;
    if (needed && this.timer === null) this.page.addEventListener("beforeunload", this.ask);
    if (!needed) this.timer ??= this.clock.setTimeout(this.letGo, CALM);
  }

  end(): void {
    this.isNeeded = false;
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.letGo();
  }

  private readonly letGo = (): void => {
    this.timer = null;
    if (!this.isNeeded) this.page.removeEventListener("beforeunload", this.ask);
  };

  private readonly ask = (event: Event): void => {
    if (this.isNeeded) event.preventDefault();
  };
}
