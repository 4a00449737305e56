/** Whether quotes and dashes are set as printers do while this person types; remembered by the browser, on at first. */

import { useSyncExternalStore } from "react";
import { browserStorage } from "../page/identity";

const KEY = "manyhands:smart-typing";
const listeners = new Set<() => void>();

export function isSmartTypingOn(): boolean {
  return browserStorage()?.getItem(KEY) !== "off";
}

export function setSmartTyping(isOn: boolean): void {
  try {
    browserStorage()?.setItem(KEY, isOn ? "on" : "off");
  } catch {
    // Storage may be full or forbidden: the choice cannot be kept then.
  }
  for (const listener of listeners) listener();
}

export function useSmartTyping(): boolean {
  return useSyncExternalStore(subscribe, isSmartTypingOn);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
