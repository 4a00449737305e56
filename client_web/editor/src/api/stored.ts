/** A value in this browser's storage that components follow, the same in all of its tabs.
 *
 * Another tab's changes arrive as `storage` events. Storage may be full or forbidden: then the value is what `parse` makes of
 * nothing.
 */
import { useSyncExternalStore } from "react";

export class Stored<Value> {
  private readonly key: string;
  private readonly parse: (text: string | null) => Value;
  private readonly listeners = new Set<() => void>();
  private cache: { readonly text: string | null; readonly value: Value };

  /** `parse` reads what is stored, null if there is nothing, and does not throw. */
  constructor(key: string, parse: (text: string | null) => Value) {
    this.key = key;
    this.parse = parse;
    this.cache = { text: null, value: parse(null) };
  }

  /** Returns the same value until what is stored changes. */
  readonly read = (): Value => {
    const text = this.readText();
    if (text !== this.cache.text) this.cache = { text, value: this.parse(text) };
    return this.cache.value;
  };

  /** Returns whether the text is kept. */
  write(text: string): boolean {
    let isKept = true;
    try {
      localStorage.setItem(this.key, text);
    } catch {
      isKept = false;
    }
    for (const listener of this.listeners) listener();
    return isKept;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    window.addEventListener("storage", listener);
    return () => {
      this.listeners.delete(listener);
      window.removeEventListener("storage", listener);
    };
  };

  private readText(): string | null {
    try {
      return localStorage.getItem(this.key);
    } catch {
      return null;
    }
  }
}

/** Renders a component anew when `read` returns something else of what is stored. */
export function useStored<Part>({ subscribe }: Pick<Stored<unknown>, "subscribe">, read: () => Part): Part {
  return useSyncExternalStore(subscribe, read);
}
