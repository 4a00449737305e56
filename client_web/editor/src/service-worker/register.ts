/** Registers the service worker and tells when a newer one waits.
 *
 * A new version never takes over by itself: it waits until somebody activates it, and then the page is reloaded. If
 * another tab has activated it meanwhile, activating means reloading.
 */
import type { Updates } from "./updates";

const SCRIPT = "/service-worker.js";
/** How long a network may take to say that there is nothing newer. */
const PATIENCE_MS = 5_000;

/** `container` is the browser's; `reload` reloads the page.
 *
 * `rested`: the page has what it needs. A first visit waits for this, because the worker fetches the whole application.
 */
export function registerServiceWorker(
  container: ServiceWorkerContainer,
  reload: () => void,
  rested: Promise<void>,
): Updates {
  const listeners = new Set<(activate: () => void) => void>();
  let activate: (() => void) | null = null;
  let registered: ServiceWorkerRegistration | null = null;
  const look = () => void registered?.update().catch(() => undefined);

  const activateWaiting = () => {
    if (!registered?.waiting) return reload();
    container.addEventListener("controllerchange", reload, { once: true });
    registered.waiting.postMessage({ type: "SKIP_WAITING" });
  };

  const announce = () => {
    if (!activate) for (const listener of listeners) listener(activateWaiting);
    activate = activateWaiting;
  };

  const watch = (registration: ServiceWorkerRegistration) => {
    registered = registration;
    // Without a controller this is the first version ever: it serves from now on, and there is nothing to say.
    if (registration.waiting && container.controller) announce();
    registration.addEventListener("updatefound", () => {
      const worker = registration.installing;
      worker?.addEventListener("statechange", () => {
        if (worker.state === "installed" && container.controller) announce();
      });
    });
    // A tab may stay open for weeks: ask whenever somebody returns to it.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") look();
    });
  };

  if (!container.controller) void keepWords().catch(() => undefined);

  // Where it fails, everything works but a reload while offline.
  const register = () => container.register(SCRIPT).then(watch, () => undefined);
  if (container.controller) void register();
  else void rested.then(register);

  return {
    onReady: (listener) => {
      listeners.add(listener);
      if (activate) listener(activate);
      return () => listeners.delete(listener);
    },
    look,
    renew: async () => {
      const asked = registered?.update().catch(() => undefined);
      await Promise.race([asked, new Promise((late) => setTimeout(late, PATIENCE_MS))]);
      if (registered?.installing) await installed(registered.installing);
      activateWaiting();
    },
  };
}

/** Keeps the words that were loaded before there was a service worker. Later ones it keeps itself (./words.js). */
async function keepWords(): Promise<void> {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const kept = await caches.open("words");
  await kept.addAll(new Set(loaded.filter((name) => /\/assets\/[^/]*words-[a-z]+-[^/]*\.js$/.test(name))));
}

function installed(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    const look = () => worker.state === "installing" || resolve();
    worker.addEventListener("statechange", look);
    look();
  });
}
