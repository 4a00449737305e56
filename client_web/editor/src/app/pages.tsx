/** The pages of the application. Their code is loaded when they are opened, or a moment before, when somebody is about to. */
import { type ComponentType, lazy, useState } from "react";

/** The code of a page is not to be had: there is no network, or the server has a newer version and this one no more. */
export class PageMissing extends Error {}

const documentsPage = pageOf(async () => (await import("../documents/DocumentsPage")).DocumentsPage);
const editorPage = pageOf(async () => (await import("../page/EditorPage")).EditorPage);

export const DocumentsPage = documentsPage.Page;
export const EditorPage = editorPage.Page;
export const loadDocumentsPage = documentsPage.load;
export const loadEditorPage = editorPage.load;

/** Fetches the editor ahead of its use; a failure is left to the opening itself to report. */
export function preloadEditor(): void {
  loadEditorPage().catch(() => undefined);
}

function pageOf<Props extends object>(fetchCode: () => Promise<ComponentType<Props>>) {
  let code: ComponentType<Props> | null = null;
  const load = async (): Promise<ComponentType<Props>> => {
    try {
      code = await fetchCode();
      return code;
    } catch (cause) {
      throw new PageMissing("The page's code could not be loaded.", { cause });
    }
  };
  const LatePage = lazy(async () => ({ default: await load() }));
  function Page(props: Props) {
    // `lazy` shows the fallback even when the code is there, and React keeps a fallback for 300 ms.
    const [Shown] = useState(() => code ?? LatePage);
    return <Shown {...props} />;
  }
  return { Page, load };
}
