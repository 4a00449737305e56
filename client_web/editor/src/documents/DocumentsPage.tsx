/** The documents page: the list of documents, or of those in the trash, with everything that can be done to them. */
import { ChevronDown, FileText, Plus } from "lucide-react";
import { useCallback, useDeferredValue, useEffect, useRef, useState } from "react";
import { SignInPage } from "../account/SignInPage";
import { ApiError, type Order } from "../api/api";
import { useMe } from "../api/whoAmI";
import { t } from "../i18n/t";
import { Button } from "../ui/Button";
import { Menu, MenuItem, MenuLabel } from "../ui/Menu";
import { Tooltip } from "../ui/Tooltip";
import { usePageTitle } from "../ui/usePageTitle";
import { DocumentList } from "./DocumentList";
import { DocumentsHeader } from "./DocumentsHeader";
import { DocumentsViews } from "./DocumentsViews";
import {
  EmptyTrash,
  LoadingRows,
  NoDocuments,
  NoResults,
  NothingShared,
  NothingStarred,
} from "./documentsStates";
import { MadeHere } from "./MadeHere";
import { OfflineDocuments } from "./OfflineDocuments";
import { rememberedOrder, rememberOrder } from "./orders";
import { TEMPLATES, type TemplateName } from "./templates";
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
  const [label, setLabel] = useState("");
  const [order, setOrder] = useState(rememberedOrder);
  const isTrash = view === "trash";
  const [wasTrash, setWasTrash] = useState(isTrash);
  if (isTrash !== wasTrash) {
    // Nobody looks in the trash for what they looked for outside of it, nor the other way round.
    setWasTrash(isTrash);
    setSearch("");
    setLabel("");
  }
  const list = useCatalogue(view, { query, label: isTrash ? "" : label, order });
  const { creating, create } = useCreating();
  const mayCreate = useMe()?.mayCreate ?? true;
  const heading = view === "trash" ? t("Trash") : view === "starred" ? t("Starred") : t("Documents");
  usePageTitle(view === "trash" ? t("Trash") : "");
  useShortcuts({
    onCreate: useCallback(() => create(), [create]),
    onSearch: useCallback(() => searchField.current?.focus(), []),
  });

  if (isSignedOut(list)) return <SignInPage />;
  return (
    <div className="documents">
      <a className="ui-skip-link" href="#documents">
        {t("Skip to the documents")}
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
            <NewDocument creating={creating} onCreate={create} />
          )}
        </div>
        <DocumentsViews
          view={view}
          label={label}
          order={order}
          onLabel={setLabel}
          onOrder={(chosen) => {
            rememberOrder(chosen);
            setOrder(chosen);
          }}
        />
        <Contents
          view={view}
          list={list}
          query={query}
          label={label}
          order={order}
          creating={creating}
          onApproach={onApproach}
          onCreate={mayCreate ? () => create() : null}
          onClearSearch={() => {
            setSearch("");
            setLabel("");
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
  readonly label: string;
  readonly order: Order;
  readonly creating: boolean;
  readonly onApproach: () => void;
  /** null for people who may not make documents. */
  readonly onCreate: (() => void) | null;
  readonly onClearSearch: () => void;
}

function Contents(props: ContentsProps) {
  const { view, list, query, label, order, creating, onApproach, onCreate, onClearSearch } = props;
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
      {view === "documents" && !query && !label && <MadeHere />}
      {count === 0 && (query || label) && (
        <NoResults query={catalogue.query} label={label} onClear={onClearSearch} />
      )}
      {count === 0 && !query && !label && (
        <Nothing view={view} creating={creating} onCreate={view === "shared" ? null : onCreate} />
      )}
      <DocumentList
        documents={documents}
        key={`${view} ${label}`}
        view={view}
        order={order}
        actions={actions}
        onApproach={onApproach}
        onEmptied={focusMain}
      />
      {cursor !== null && (
        <div className="documents-more">
          {more === "idle" && <WhenSeen onSeen={loadMore} />}
          {more === "failed" && <p role="alert">{t("The next documents could not be fetched.")}</p>}
          <Button busy={more === "loading"} onClick={loadMore}>
            {more === "failed" ? t("Try again") : t("Load more")}
          </Button>
        </div>
      )}
    </div>
  );
}

type NothingProps = Pick<ContentsProps, "view" | "creating" | "onCreate">;

function Nothing({ view, creating, onCreate }: NothingProps) {
  if (view === "trash") return <EmptyTrash />;
  if (view === "starred") return <NothingStarred />;
  return onCreate ? <NoDocuments onCreate={onCreate} creating={creating} /> : <NothingShared />;
}

/** Fetches the next documents before the end of the list is reached; the button below is for those who come by keys. */
function WhenSeen({ onSeen }: { readonly onSeen: () => void }) {
  const mark = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!mark.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (seen) => seen.some((each) => each.isIntersecting) && onSeen(),
      {
        rootMargin: "600px",
      },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [onSeen]);
  return <span ref={mark} />;
}

interface NewDocumentProps {
  readonly creating: boolean;
  readonly onCreate: (template?: TemplateName) => void;
}

function NewDocument({ creating, onCreate }: NewDocumentProps) {
  return (
    <div className="documents-new">
      <Tooltip label={t("Make a document and open it")} shortcut={NEW_DOCUMENT_KEYS}>
        <Button variant="primary" icon={Plus} busy={creating} onClick={() => onCreate()}>
          {t("New document")}
        </Button>
      </Tooltip>
      <Menu
        align="end"
        trigger={
          <Button variant="primary" className="documents-new-more" aria-label={t("Templates")}>
            <ChevronDown aria-hidden="true" size={16} />
          </Button>
        }
      >
        <MenuLabel>{t("From a template")}</MenuLabel>
        {TEMPLATES.map(({ name, title }) => (
          <MenuItem key={name} icon={FileText} onSelect={() => onCreate(name)}>
            {title}
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}

/** One press makes one document, however long the server takes. */
function useCreating(): {
  readonly creating: boolean;
  readonly create: (template?: TemplateName) => void;
} {
  const [creating, setCreating] = useState(false);
  const underWay = useRef(false);
  const createDocument = useCreateDocument();
  const create = useCallback(
    async (template?: TemplateName) => {
      if (underWay.current) return;
      underWay.current = true;
      setCreating(true);
      await createDocument(template);
      underWay.current = false;
      setCreating(false);
    },
    [createDocument],
  );
  return { creating, create };
}

/** An empty list of one's own has a larger button in its middle. */
function isInvitation(view: DocumentsView, { catalogue }: CatalogueView, query: string): boolean {
  const isEmpty = catalogue.status === "ready" && catalogue.documents.length === 0 && query === "";
  return isEmpty && view !== "shared" && view !== "starred";
}

/** The sign-in has run out since the page was opened. */
function isSignedOut({ catalogue }: CatalogueView): boolean {
  const error = catalogue.status === "failed" ? catalogue.error : null;
  return error instanceof ApiError && error.code === "unauthenticated";
}

function countWords(count: number, more: boolean, query: string): string {
  if (more)
    return query
      ? t("{count, number} or more documents found", { count })
      : t("{count, number} or more documents", { count });
  return query
    ? t("{count, plural, one {# document} other {# documents}} found", { count })
    : t("{count, plural, one {# document} other {# documents}}", { count });
}

function focusMain(): void {
  document.getElementById("documents")?.focus();
}
