/** The documents page: the list of documents, or of those in the trash, with everything that can be done to them. */
import { FileText, Plus, Trash2 } from "lucide-react";
import { useCallback, useDeferredValue, useRef, useState } from "react";
import { Link } from "wouter";
import { NetworkError } from "../app/api";
import { usePageTitle } from "../app/usePageTitle";
import { Button } from "../ui/Button";
import { Tooltip } from "../ui/Tooltip";
import { DocumentList } from "./DocumentList";
import type { DocumentsView } from "./DocumentRow";
import { DocumentsHeader } from "./DocumentsHeader";
import { EmptyTrash, Failure, LoadingRows, NoDocuments, NoResults } from "./documentsStates";
import { OfflineDocuments } from "./OfflineDocuments";
import { type CatalogueView, useCatalogue } from "./useCatalogue";
import { useCreateDocument, useDocumentActions } from "./useDocumentActions";
import { NEW_DOCUMENT_KEYS, useShortcuts } from "./useShortcuts";
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
  const list = useCatalogue(view === "trash", query);
  const { creating, create } = useCreating();
  const heading = view === "trash" ? "Trash" : "Documents";
  usePageTitle(view === "trash" ? "Trash" : "");
  useShortcuts({ onCreate: create, onSearch: useCallback(() => searchField.current?.focus(), []) });

  return (
    <div className="documents">
      <a className="ui-skip-link" href="#documents">
        Skip to the documents
      </a>
      <DocumentsHeader
        searchField={searchField}
        search={search}
        placeholder={view === "trash" ? "Search the trash" : "Search documents"}
        onSearch={setSearch}
      />
      <main id="documents" className="documents-main" tabIndex={-1}>
        <div className="documents-title">
          <h1>{heading}</h1>
          {view === "documents" && !isEmpty(list, query) && (
            <Tooltip label="Make a document and open it" shortcut={NEW_DOCUMENT_KEYS}>
              <Button variant="primary" icon={Plus} busy={creating} onClick={create}>
                New document
              </Button>
            </Tooltip>
          )}
        </div>
        <Views view={view} />
        <Contents
          view={view}
          list={list}
          query={query}
          creating={creating}
          onApproach={onApproach}
          onCreate={create}
          onClearSearch={() => {
            setSearch("");
            searchField.current?.focus();
          }}
        />
      </main>
    </div>
  );
}

function Views({ view }: { readonly view: DocumentsView }) {
  return (
    <nav className="documents-views" aria-label="Lists">
      <Link href="/" aria-current={view === "documents" ? "page" : undefined}>
        <FileText aria-hidden="true" size={16} />
        Documents
      </Link>
      <Link href="/?trash" aria-current={view === "trash" ? "page" : undefined}>
        <Trash2 aria-hidden="true" size={16} />
        Trash
      </Link>
    </nav>
  );
}

interface ContentsProps {
  readonly view: DocumentsView;
  readonly list: CatalogueView;
  readonly query: string;
  readonly creating: boolean;
  readonly onApproach: () => void;
  readonly onCreate: () => void;
  readonly onClearSearch: () => void;
}

function Contents({ view, list, query, creating, onApproach, onCreate, onClearSearch }: ContentsProps) {
  const { catalogue, stale, retry, loadMore } = list;
  const actions = useDocumentActions(list);
  if (catalogue.status === "loading") return <LoadingRows />;
  if (catalogue.status === "failed") {
    return catalogue.error instanceof NetworkError ? (
      <OfflineDocuments query={query} onClearSearch={onClearSearch} onRetry={retry} />
    ) : (
      <Failure error={catalogue.error} onRetry={retry} />
    );
  }

  const { documents, cursor, more } = catalogue;
  const count = documents.length;
  return (
    <div className="documents-contents" aria-busy={stale}>
      <p className="ui-hidden" role="status">
        {stale ? "" : countWords(count, cursor !== null, query)}
      </p>
      {count === 0 && query && <NoResults query={catalogue.query} onClear={onClearSearch} />}
      {count === 0 && !query && view === "trash" && <EmptyTrash />}
      {count === 0 && !query && view === "documents" && (
        <NoDocuments onCreate={onCreate} creating={creating} />
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

/** The empty page has a larger button of its own. */
function isEmpty({ catalogue }: CatalogueView, query: string): boolean {
  return catalogue.status === "ready" && catalogue.documents.length === 0 && query === "";
}

function countWords(count: number, more: boolean, query: string): string {
  const documents = count === 1 ? "1 document" : `${count}${more ? " or more" : ""} documents`;
  return query ? `${documents} found` : documents;
}

function focusMain(): void {
  document.getElementById("documents")?.focus();
}
