/** The way out: the server forgets who is here, and so does this device, but for words that nobody else has. */
import type { Api } from "../api/api";
import { forgetEveryDocument } from "../api/knownDocuments";

/** The service worker's cache of pictures. */
const PICTURES = "attachments";

export async function signOut(api: Pick<Api, "endSession">): Promise<void> {
  await api.endSession();
  forgetEveryDocument();
  // Signed out is signed out: what a browser cannot clear must not keep anybody here.
  await Promise.allSettled([forgetCopies(), globalThis.caches?.delete(PICTURES)]);
}

/** The provider comes with the editor's code, which the list of documents does not need otherwise. */
async function forgetCopies(): Promise<void> {
  await (await import("@manyhands/provider")).forgetCopies();
}
