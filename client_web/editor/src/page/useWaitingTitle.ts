/** A title that waits on this device: sent when the server is there, and again until it is taken or refused. */
import { useEffect, useRef } from "react";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import { NetworkError } from "../api/rest";
import { deliver, useWaiting } from "../api/waiting";
import { useToasts } from "../ui/Toast";

const AGAIN_MS = 10_000;

/** Returns the title that waits; null when none does. */
export function useWaitingTitle(documentId: string, isSynced: boolean): string | null {
  const api = useApi();
  const toasts = useToasts();
  const tell = useRef(toasts);
  tell.current = toasts;
  const waiting = useWaiting(documentId);
  const title = waiting?.title ?? null;
  useEffect(() => {
    if (!isSynced || title === null) return;
    const send = () =>
      deliver(api, documentId).catch((error: unknown) => {
        if (error instanceof NetworkError) return;
        tell.current.show({ tone: "error", message: `The title was not saved. ${explain(error)}` });
      });
    void send();
    const timer = setInterval(() => void send(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [api, documentId, isSynced, title]);
  return title;
}
