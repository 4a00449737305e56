/**
 * The networks that swallow WebSockets, as this browser remembers them: one entry for each server, for a day.
 *
 * Where the browser keeps nothing for the page, each page finds it out anew.
 */

const KEY = "manyhands:detour:";
/** Milliseconds. A wrong entry costs little: long-polling is exchanged for a WebSocket as soon as one opens. */
const KEPT = 24 * 3_600_000;

export class Detour {
  private readonly key: string;

  /** `url` is the server's, empty for where the page came from. */
  constructor(url: string) {
    this.key = KEY + url;
  }

  isNeeded(now: number): boolean {
    const since = Number(this.tried((storage) => storage.getItem(this.key)) ?? Number.NaN);
    return since <= now && now < since + KEPT;
  }

  remember(now: number): void {
    this.tried((storage) => storage.setItem(this.key, String(now)));
  }

  forget(): void {
    this.tried((storage) => storage.removeItem(this.key));
  }

  private tried<Result>(act: (storage: Storage) => Result): Result | null {
    try {
      return globalThis.localStorage ? act(globalThis.localStorage) : null;
    } catch {
      return null; // storage may be full or forbidden
    }
  }
}
