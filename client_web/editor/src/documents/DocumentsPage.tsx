/** The documents page: the list of documents, or of those in the trash, with everything that can be done to them. */
import { Plus } from "lucide-react";
import { useCallback, useDeferredValue, useRef, useState } from "react";
import { SignInPage } from "../account/SignInPage";
import { ApiError } from "../api/api";
import { useMe } from "../api/whoAmI";
import { Button } from "../ui/Button";
import { Tooltip } from "../ui/Tooltip";
import { usePageTitle } from "../ui/usePageTitle";
import { DocumentList } from "./DocumentList";
import { DocumentsHeader } from "./DocumentsHeader";
import { DocumentsViews } from "./DocumentsViews";
import { EmptyTrash, LoadingRows, NoDocuments, NoResults, NothingShared } from "./documentsStates";
import { OfflineDocuments } from "./OfflineDocuments";
import { type CatalogueView, useCatalogue } from "./useCatalogue";
import { useCreateDocument, useDocumentActions } from "./useDocumentActions";
import { NEW_DOCUMENT_KEYS, useShortcuts } from "./useShortcuts";
import { type DocumentsView, VIEWS } from "./views";
import "./documents.css";

export interface DocumentsPageProps {
  readonly view: DocumentsView;
  /** Called when somebody is about to open a document. */
  readonly onApproach: () => void;
}

export function DocumentsPage({ view, onApproach }: DocumentsPageProps) {
  const [search, setSearch] = useState("");
  const query = useDeferredValue(search.trim());
  const searchField = useRef<HTMLInputElement>(null);
  const list = useCatalogue(view, query);
  const { creating, create } = useCreating();
  const mayCreate = useMe()?.mayCreate ?? true;
  const heading = view === "trash" ? "Trash" : "Documents";
  usePageTitle(view === "trash" ? "Trash" : "");
  useShortcuts({ onCreate: create, onSearch: useCallback(() => searchField.current?.focus(), []) });

  if (isSignedOut(list)) return <SignInPage />;
  return (
    <div className="documents">
      <a className="ui-skip-link" href="#documents">
        Skip to the documents
      </a>
      <DocumentsHeader
        searchField={searchField}
        search={search}
        placeholder={VIEWS[view].placeholder}
        onSearch={setSearch}
      />
      <main id="documents" className="documents-main" tabIndex={-1}>
        <div className="documents-title">
          <h1>{heading}</h1>
          {view !== "trash" && mayCreate && !isInvitation(view, list, query) && (
            <Tooltip label="Make a document and open it" shortcut={NEW_DOCUMENT_KEYS}>
              <Button variant="primary" icon={Plus} busy={creating} onClick={create}>
                New document
              </Button>
            </Tooltip>
          )}
        </div>
        <DocumentsViews view={view} />
        <Contents
          view={view}
          list={list}
          query={query}
          creating={creating}
          onApproach={onApproach}
          onCreate={mayCreate ? create : null}
          onClearSearch={() => {
            setSearch("");
            searchField.current?.focus();
          }}
        />
      </main>
    </div>
  );
}

interface ContentsProps {
  readonly view: DocumentsView;
  readonly list: CatalogueView;
  readonly query: string;
  readonly creating: boolean;
  readonly onApproach: () => void;
  /** null for people who may not make documents. */
  readonly onCreate: (() => void) | null;
  readonly onClearSearch: () => void;
}

function Contents(props: ContentsProps) {
  const { view, list, query, creating, onApproach, onCreate, onClearSearch } = props;
  const { catalogue, stale, retry, loadMore } = list;
  const actions = useDocumentActions(list);
  if (catalogue.status === "loading") return <LoadingRows />;
  if (catalogue.status === "failed") {
    const { error } = catalogue;
    return <OfflineDocuments error={error} query={query} onClearSearch={onClearSearch} onRetry={retry} />;
  }

  const { documents, cursor, more } = catalogue;
  const count = documents.length;
  return (
    <div className="documents-contents" aria-busy={stale}>
      <p className="ui-hidden" role="status">
        {stale ? "" : countWords(count, cursor !== null, query)}
      </p>
      {count === 0 && query && <NoResults query={catalogue.query} onClear={onClearSearch} />}
      {count === 0 && !query && (
        <Nothing view={view} creating={creating} onCreate={view === "shared" ? null : onCreate} />
      )}
      <DocumentList
        documents={documents}
        view={view}
        actions={actions}
        onApproach={onApproach}
        onEmptied={focusMain}
      />
      {cursor !== null && (
        <div className="documents-more">
          {more === "failed" && <p role="alert">The next documents could not be fetched.</p>}
          <Button busy={more === "loading"} onClick={loadMore}>
            {more === "failed" ? "Try again" : "Load more"}
          </Button>
        </div>
      )}
    </div>
  );
}

type NothingProps = Pick<ContentsProps, "view" | "creating" | "onCreate">;

function Nothing({ view, creating, onCreate }: NothingProps) {
  if (view === "trash") return <EmptyTrash />;
  return onCreate ? <NoDocuments onCreate={onCreate} creating={creating} /> : <NothingShared />;
}

/** One press makes one document, however long the server takes. */
function useCreating(): { readonly creating: boolean; readonly create: () => void } {
  const [creating, setCreating] = useState(false);
  const underWay = useRef(false);
  const createDocument = useCreateDocument();
  const create = useCallback(async () => {
    if (underWay.current) return;
    underWay.current = true;
    setCreating(true);
    await createDocument();
    underWay.current = false;
    setCreating(false);
  }, [createDocument]);
  return { creating, create };
}

/** An empty list of one's own has a larger button in its middle. */
function isInvitation(view: DocumentsView, { catalogue }: CatalogueView, query: string): boolean {
  const isEmpty = catalogue.status === "ready" && catalogue.documents.length === 0 && query === "";
  return isEmpty && view !== "shared";
}

/** The sign-in has run out since the page was opened. */
function isSignedOut({ catalogue }: CatalogueView): boolean {
  const error = catalogue.status === "failed" ? catalogue.error : null;
  return error instanceof ApiError && error.code === "unauthenticated";
}

function countWords(count: number, more: boolean, query: string): string {
  const documents = count === 1 ? "1 document" : `${count}${more ? " or more" : ""} documents`;
  return query ? `${documents} found` : documents;
}

function focusMain(): void {
  document.getElementById("documents")?.focus();
}
