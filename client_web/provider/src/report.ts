/** Exceptions of whoever listens to the provider or its document: told to the platform, kept from the provider's own work. */

export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else
    queueMicrotask(() => {
      throw error; // Node has no reportError: as from any listener of its own
    });
}
