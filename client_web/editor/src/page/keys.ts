/** Keyboard shortcuts as a person reads them on this machine. */
import { t } from "../i18n/t";

const MAC_SIGNS: Readonly<Record<string, string>> = { Mod: "⌘", Alt: "⌥", Shift: "⇧", Ctrl: "⌃" };

const SIGNS: Readonly<Record<string, string>> = { Mod: t("Ctrl"), Shift: t("Shift") };

/** Returns "Ctrl+Shift+7" or "⌘⇧7" for "Mod+Shift+7". */
export function keysFor(shortcut: string, isMac: boolean): string {
  const keys = shortcut.split("+");
  if (isMac) return keys.map((key) => MAC_SIGNS[key] ?? key).join("");
  return keys.map((key) => SIGNS[key] ?? key).join("+");
}

const onMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function keys(shortcut: string): string {
  return keysFor(shortcut, onMac);
}

/** Whether the event is the shortcut of this machine's command key and `key`. */
export function isCommand(event: KeyboardEvent, key: string): boolean {
  return (onMac ? event.metaKey : event.ctrlKey) && !event.altKey && event.key.toLowerCase() === key;
}
