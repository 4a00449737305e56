/** The application: what every page needs, and which page belongs to which address.
 *
 * Pages are loaded when they are opened, so that the list of documents does not wait for the editor.
 */
import { lazy, Suspense } from "react";
import { Route, Switch, useLocation, useSearch } from "wouter";
import { SignInPage } from "../account/SignInPage";
import { ApiContext } from "../api/ApiContext";
import type { Api } from "../api/api";
import { useStanding, type WhoAmI, WhoContext } from "../api/whoAmI";
import type { DocumentsView } from "../documents/views";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { NotFoundPage } from "../ui/NotFoundPage";
import { ToastProvider } from "../ui/Toast";
import { TooltipProvider } from "../ui/Tooltip";
import { type Theme, ThemeContext } from "../ui/theme";
import { PageLoading } from "./PageLoading";
import { loadDocumentsPage, loadEditorPage, preloadEditor } from "./pages";
import { UpdateNotice } from "./UpdateNotice";
import type { Updates } from "./updates";

const DocumentsPage = lazy(async () => ({ default: (await loadDocumentsPage()).DocumentsPage }));
const EditorPage = lazy(async () => ({ default: (await loadEditorPage()).EditorPage }));

/** The form of a document's id in server/PROTOCOL.md. */
const DOCUMENT_ID = /^[A-Za-z0-9_-]{8,64}$/;

export interface AppProps {
  readonly api: Api;
  readonly who: WhoAmI;
  readonly theme: Theme;
  readonly updates: Updates;
}

export function App({ api, who, theme, updates }: AppProps) {
  return (
    <ThemeContext value={theme}>
      <ApiContext value={api}>
        <WhoContext value={who}>
          <TooltipProvider>
            <ToastProvider>
              <UpdateNotice updates={updates} />
              <Pages />
            </ToastProvider>
          </TooltipProvider>
        </WhoContext>
      </ApiContext>
    </ThemeContext>
  );
}

function Pages() {
  const view = viewOf(useSearch());
  const [address] = useLocation();
  return (
    // A crash belongs to its address: going elsewhere leaves it behind.
    <ErrorBoundary key={address}>
      <Suspense fallback={<PageLoading />}>
        <Routes view={view} />
      </Suspense>
    </ErrorBoundary>
  );
}

function viewOf(search: string): DocumentsView {
  return search === "trash" || search === "mine" || search === "shared" ? search : "documents";
}

function Routes({ view }: { readonly view: DocumentsView }) {
  const isStranger = useStanding().kind === "stranger";
  return (
    <Switch>
      <Route path="/">
        {isStranger ? (
          <SignInPage />
        ) : (
          <DocumentsPage key={String(view === "trash")} view={view} onApproach={preloadEditor} />
        )}
      </Route>
      <Route path="/d/:id">
        {({ id }) => (DOCUMENT_ID.test(id) ? <EditorPage key={id} documentId={id} /> : <NotFoundPage />)}
      </Route>
      <Route>
        <NotFoundPage />
      </Route>
    </Switch>
  );
}
