/** The person's choice that quotes and dashes are set as printers do; remembered by the browser, on at first. */

import { Stored, useStored } from "../api/stored";

const stored = new Stored("manyhands:smart-typing", (text) => text !== "off");

export const isSmartTypingOn = stored.read;

export function setSmartTyping(isOn: boolean): void {
  stored.write(isOn ? "on" : "off");
}

export function useSmartTyping(): boolean {
  return useStored(stored, stored.read);
}
