/** News of a newer version of the application: a tiny port, so that only the service worker's side knows of it. */
import { createContext, useContext } from "react";

export interface Updates {
  /** Calls `listener` once a newer version waits; `activate` switches to it and reloads the page. */
  readonly onReady: (listener: (activate: () => void) => void) => () => void;
  /** Asks the server for a newer version: after a reconnect the server may be another one. */
  readonly look: () => void;
  /** Loads the page in the newest version that the server has; a mere reload brings the old one while a newer one waits. */
  readonly renew: () => Promise<void>;
}

/** Where there is no service worker, as in development. */
export const NO_UPDATES: Updates = {
  onReady: () => () => {},
  look: () => {},
  renew: async () => window.location.reload(),
};

export const UpdatesContext = createContext(NO_UPDATES);

export function useUpdates(): Updates {
  return useContext(UpdatesContext);
}
