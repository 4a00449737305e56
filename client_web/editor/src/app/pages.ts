/** Loads the pages' code: when they are opened, or a moment before, when somebody is about to. */

/** The code of a page is not to be had: there is no network, or the server has a newer version and this one no more. */
export class PageMissing extends Error {}

export const loadDocumentsPage = () => loaded(import("../documents/DocumentsPage"));
export const loadEditorPage = () => loaded(import("../page/EditorPage"));

/** Fetches the editor ahead of its use; a failure is left to the opening itself to report. */
export function preloadEditor(): void {
  loadEditorPage().catch(() => undefined);
}

async function loaded<Page>(code: Promise<Page>): Promise<Page> {
  try {
    return await code;
  } catch (cause) {
    throw new PageMissing("The page's code could not be loaded.", { cause });
  }
}
