/** News of a newer version of the application: a tiny port, so that only the service worker's side knows of it. */

export interface Updates {
  /** Calls `listener` once a newer version waits; `activate` switches to it and reloads the page. */
  readonly onReady: (listener: (activate: () => void) => void) => () => void;
}

/** Where there is no service worker, as in development. */
export const NO_UPDATES: Updates = { onReady: () => () => {} };
