/** A title and pictures that wait on this device: sent when the server is there, and again until they are taken or refused. */
import { useCallback, useEffect, useRef } from "react";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import { ApiError, NetworkError } from "../api/rest";
import { deliver, useWaiting } from "../api/waiting";
import { deliverPictures } from "../api/waitingPictures";
import { t } from "../i18n/t";
import { useToasts } from "../ui/Toast";

const AGAIN_MS = 10_000;

export interface WaitingThings {
  /** null when none waits. */
  readonly title: string | null;
  readonly pictures: number;
}

export function useWaitingThings(documentId: string, isSynced: boolean): WaitingThings {
  const api = useApi();
  const toasts = useToasts();
  const tell = useRef(toasts);
  tell.current = toasts;
  const tellOfPicture = usePictureRefusal();
  const waiting = useWaiting(documentId);
  const title = waiting?.title ?? null;
  const pictures = waiting?.pictures?.length ?? 0;
  useEffect(() => {
    if (!isSynced || (title === null && pictures === 0)) return;
    const send = async () => {
      try {
        if (title !== null) await deliver(api, documentId);
      } catch (error) {
        if (error instanceof NetworkError) return;
        tell.current.show({ tone: "error", message: `${t("The title was not saved.")} ${explain(error)}` });
      }
      // What fails here for a while is tried again.
      if (pictures > 0) await deliverPictures(api, documentId, tellOfPicture).catch(() => undefined);
    };
    void send();
    const timer = setInterval(() => void send(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [api, documentId, isSynced, title, pictures, tellOfPicture]);
  return { title, pictures };
}

/** Returns a function, always the same one, that says why the server does not take a picture. */
export function usePictureRefusal(): (reason: unknown) => void {
  const toasts = useToasts();
  const tell = useRef(toasts);
  tell.current = toasts;
  return useCallback((reason: unknown) => {
    const why = reason instanceof ApiError || !(reason instanceof Error) ? explain(reason) : reason.message;
    const message = t(
      "A picture that was kept on this device did not reach the server, and others do not see it. {why}",
      { why },
    );
    tell.current.show({ tone: "error", message, duration: Number.POSITIVE_INFINITY });
  }, []);
}
