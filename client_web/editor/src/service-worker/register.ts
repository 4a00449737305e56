/** Registers the service worker and tells when a newer one waits. */
import { Workbox } from "workbox-window";
import type { Updates } from "../app/updates";

export function registerServiceWorker(): Updates {
  if (!("serviceWorker" in navigator)) return { onReady: () => () => {} };
  const worker = new Workbox("/service-worker.js");
  const listeners = new Set<(activate: () => void) => void>();
  let waiting = false;

  const activate = () => {
    worker.addEventListener("controlling", () => window.location.reload());
    worker.messageSkipWaiting();
  };
  worker.addEventListener("waiting", () => {
    waiting = true;
    for (const listener of listeners) listener(activate);
  });
  // Without a service worker everything works but a reload while offline.
  worker.register().catch(() => undefined);

  return {
    onReady: (listener) => {
      listeners.add(listener);
      if (waiting) listener(activate);
      return () => listeners.delete(listener);
    },
  };
}
