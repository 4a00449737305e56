/** The question "leave this page?" while something would be lost or late. */

export type LeavingPage = Pick<Window, "addEventListener" | "removeEventListener">;

/** Asks only while `guard(true)` is the last word: browsers keep pages without such a listener at hand for "back". */
export class LeaveGuard {
  private readonly page: LeavingPage;
  private asking = false;

  constructor(page: LeavingPage) {
    this.page = page;
  }

  guard(needed: boolean): void {
    if (needed === this.asking) return;
    this.asking = needed;
    if (needed) this.page.addEventListener("beforeunload", ask);
    else this.page.removeEventListener("beforeunload", ask);
  }
}

function ask(event: Event): void {
  event.preventDefault();
}
