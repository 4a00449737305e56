/** The list of documents as the page knows it, and what answers and actions make of it. Pure. */
import type { DocumentEntry, DocumentPage, Order } from "../api/api";
import { shownTitle } from "./titles";

export type Catalogue =
  | { readonly status: "loading" }
  | { readonly status: "failed"; readonly error: unknown }
  | {
      readonly status: "ready";
      readonly documents: readonly DocumentEntry[];
      readonly cursor: string | null;
      readonly more: "idle" | "loading" | "failed";
      /** The search that these documents answer. */
      readonly query: string;
      readonly order: Order;
    };

interface Asked {
  readonly query: string;
  readonly order: Order;
}

export type CatalogueEvent =
  | { readonly type: "asked" }
  /** Another list is wanted: what is shown has nothing to do with it. */
  | { readonly type: "left" }
  | ({ readonly type: "listed"; readonly page: DocumentPage } & Asked)
  | ({ readonly type: "refreshed"; readonly page: DocumentPage } & Asked)
  | { readonly type: "failed"; readonly error: unknown }
  | { readonly type: "more asked" }
  | ({ readonly type: "more listed"; readonly page: DocumentPage } & Asked)
  | { readonly type: "more failed" }
  | { readonly type: "put"; readonly document: DocumentEntry }
  | { readonly type: "taken"; readonly id: string };

export function afterEvent(catalogue: Catalogue, event: CatalogueEvent): Catalogue {
  switch (event.type) {
    case "asked":
      return catalogue.status === "ready" ? catalogue : { status: "loading" };
    case "left":
      return { status: "loading" };
    case "listed":
      return { status: "ready", ...event.page, more: "idle", query: event.query, order: event.order };
    case "failed":
      return { status: "failed", error: event.error };
    default:
      return catalogue.status === "ready" ? afterEventOnReady(catalogue, event) : catalogue;
  }
}

type ReadyCatalogue = Extract<Catalogue, { status: "ready" }>;
type ReadyEvent = Exclude<CatalogueEvent, { type: "asked" | "left" | "listed" | "failed" }>;

function afterEventOnReady(catalogue: ReadyCatalogue, event: ReadyEvent): Catalogue {
  const { documents, order } = catalogue;
  // An answer to an earlier search, come late.
  if ("query" in event && event.query !== catalogue.query) return catalogue;
  switch (event.type) {
    case "refreshed":
      return { ...catalogue, ...refreshed(catalogue, event.page) };
    case "more asked":
      return { ...catalogue, more: "loading" };
    case "more listed": {
      const listed = event.page.documents.reduce((all, document) => put(all, document, order), documents);
      return { ...catalogue, documents: listed, cursor: event.page.cursor, more: "idle" };
    }
    case "more failed":
      return { ...catalogue, more: "failed" };
    case "put":
      return belongs(catalogue, event.document)
        ? { ...catalogue, documents: put(documents, event.document, order) }
        : catalogue;
    case "taken":
      return { ...catalogue, documents: documents.filter((document) => document.id !== event.id) };
  }
}

/** A renewed first page replaces what it covers; pages loaded after it stay. */
function refreshed({ documents, cursor, order }: ReadyCatalogue, page: DocumentPage): DocumentPage {
  const last = page.documents.at(-1);
  if (page.cursor === null || !last) return page;
  const listed = new Set(page.documents.map((document) => document.id));
  const rest = documents.filter((document) => !listed.has(document.id) && isBefore(last, document, order));
  return rest.length === 0 ? page : { documents: [...page.documents, ...rest], cursor };
}

/** What was done to a document may be answered when another search is shown already: only what is listed or found belongs there. */
function belongs({ documents, query }: ReadyCatalogue, document: DocumentEntry): boolean {
  return (
    documents.some((other) => other.id === document.id) ||
    `${document.title}\n${document.preview}`.toLocaleLowerCase().includes(query.toLocaleLowerCase())
  );
}

/** Puts a document where it belongs, in the place of an older entry with its id. */
function put(
  documents: readonly DocumentEntry[],
  document: DocumentEntry,
  order: Order,
): readonly DocumentEntry[] {
  const others = documents.filter((other) => other.id !== document.id);
  const at = others.findIndex((other) => isBefore(document, other, order));
  return at < 0 ? [...others, document] : others.toSpliced(at, 0, document);
}

/** Whether the one document stands above the other. */
function isBefore(one: DocumentEntry, other: DocumentEntry, order: Order): boolean {
  if (order === "title") return folded(one) < folded(other);
  return (timeOf(one, order)?.getTime() ?? 0) > (timeOf(other, order)?.getTime() ?? 0);
}

function folded({ title }: DocumentEntry): string {
  return shownTitle(title).normalize("NFKC").toLowerCase();
}

/** The time that a list of this order shows; null where there is none yet. */
export function timeOf(document: DocumentEntry, order: Order): Date | null {
  switch (order) {
    case "created":
      return document.createdAt;
    case "opened":
      return document.openedAt;
    default:
      return document.updatedAt;
  }
}
