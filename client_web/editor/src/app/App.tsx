/** The application: what every page needs, and which page belongs to which address.
 *
 * Pages are loaded when they are opened, so that the list of documents does not wait for the editor.
 */
import { Suspense } from "react";
import { Route, Switch, useLocation, useSearch } from "wouter";
import { SignInPage } from "../account/SignInPage";
import { ApiContext } from "../api/ApiContext";
import type { Api } from "../api/api";
import { useStanding, type WhoAmI, WhoContext } from "../api/whoAmI";
import { type DocumentsView, VIEWS } from "../documents/views";
import { t } from "../i18n/t";
import { type Updates, UpdatesContext, useUpdates } from "../service-worker/updates";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { Mark } from "../ui/Mark";
import { NotFoundPage } from "../ui/NotFoundPage";
import { ToastProvider } from "../ui/Toast";
import { TooltipProvider } from "../ui/Tooltip";
import { type Theme, ThemeContext } from "../ui/theme";
import { PageLoading } from "./PageLoading";
import { DocumentsPage, EditorPage, PageMissing, preloadEditor } from "./pages";
import { UpdateNotice } from "./UpdateNotice";

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
          <UpdatesContext value={updates}>
            <TooltipProvider>
              <ToastProvider>
                <UpdateNotice updates={updates} />
                <Pages />
              </ToastProvider>
            </TooltipProvider>
          </UpdatesContext>
        </WhoContext>
      </ApiContext>
    </ThemeContext>
  );
}

function Pages() {
  const view = viewOf(useSearch());
  const [address] = useLocation();
  return (
    // A crash belongs to its address: going elsewhere leaves it behind. What stands behind a document's id is its title.
    <ErrorBoundary
      key={address.split("/", 3).join("/")}
      fallback={(error) => error instanceof PageMissing && <MissingPage />}
    >
      <Suspense fallback={<PageLoading />}>
        <Routes view={view} />
      </Suspense>
    </ErrorBoundary>
  );
}

/** A tab that outlived a release knows its pages under names that the server has no more. */
function MissingPage() {
  const { renew } = useUpdates();
  return (
    <main>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title={t("This page could not be loaded")}
        action={
          <Button variant="primary" onClick={() => void renew()}>
            {t("Reload")}
          </Button>
        }
      >
        <p>
          {t(
            "The server cannot be reached, or has a newer version of the application than this tab. Nothing is lost: what was not saved yet is kept on this device.",
          )}
        </p>
      </EmptyState>
    </main>
  );
}

function viewOf(search: string): DocumentsView {
  return search in VIEWS ? (search as DocumentsView) : "documents";
}

function Routes({ view }: { readonly view: DocumentsView }) {
  const isStranger = useStanding().kind === "stranger";
  return (
    <Switch>
      <Route path="/">
        {isStranger ? <SignInPage /> : <DocumentsPage view={view} onApproach={preloadEditor} />}
      </Route>
      <Route path="/d/:id/:title?">
        {({ id }) => (DOCUMENT_ID.test(id) ? <EditorPage key={id} documentId={id} /> : <NotFoundPage />)}
      </Route>
      <Route>
        <NotFoundPage />
      </Route>
    </Switch>
  );
}
