/** Loads the pages' code: when they are opened, or a moment before, when somebody is about to. */

export const loadDocumentsPage = () => import("../documents/DocumentsPage");
export const loadEditorPage = () => import("../page/EditorPage");

/** Fetches the editor ahead of its use; a failure is left to the opening itself to report. */
export function preloadEditor(): void {
  loadEditorPage().catch(() => undefined);
}
