/** The document's safety as the page says it: drawn anew when the words are others, and calm while somebody types. */

import type { Provider } from "@manyhands/provider";
import { useEffect, useRef, useState } from "react";
import { type Status, statusOf } from "./status";

/**
 * "Saving…" stays so long when everything is saved, in milliseconds. Somebody who types would see
 * two words that take turns with every key.
 */
const LINGER_MS = 150;

export function useStatus(provider: Pick<Provider, "snapshot" | "subscribe">): Status {
  const [status, setStatus] = useState(() => statusOf(provider.snapshot()));
  const shown = useRef(status);
  useEffect(() => {
    let lingering: ReturnType<typeof setTimeout> | undefined;
    const show = (now: Status) => {
      clearTimeout(lingering);
      lingering = undefined;
      const { label, explanation } = shown.current;
      if (label === now.label && explanation === now.explanation) return;
      shown.current = now;
      setStatus(now);
    };
    const look = () => {
      const now = statusOf(provider.snapshot());
      if (shown.current.kind !== "saving" || now.kind !== "saved") return show(now);
      lingering ??= setTimeout(() => show(statusOf(provider.snapshot())), LINGER_MS);
    };
    look();
    const stop = provider.subscribe(look);
    return () => {
      clearTimeout(lingering);
      stop();
    };
  }, [provider]);
  return status;
}
