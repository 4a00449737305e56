/** The lists of documents that the page can show, and what each asks of the server. */
import type { ListOptions } from "../api/api";
import { t } from "../i18n/t";

export type DocumentsView = "documents" | "mine" | "shared" | "starred" | "trash";

export interface ViewFacts {
  readonly address: string;
  /** Whose documents it shows, as the filter says it. */
  readonly filter: string;
  readonly placeholder: string;
  readonly asks: Pick<ListOptions, "trashed" | "shared" | "starred">;
}

export const VIEWS: Readonly<Record<DocumentsView, ViewFacts>> = {
  documents: {
    address: "/",
    filter: t("Owned by anyone"),
    placeholder: t("Search documents"),
    asks: { trashed: false },
  },
  mine: {
    address: "/?mine",
    filter: t("Owned by me"),
    placeholder: t("Search your own documents"),
    asks: { trashed: false, shared: false },
  },
  shared: {
    address: "/?shared",
    filter: t("Shared with me"),
    placeholder: t("Search what is shared with you"),
    asks: { trashed: false, shared: true },
  },
  starred: {
    address: "/?starred",
    filter: "",
    placeholder: t("Search what has your star"),
    asks: { trashed: false, starred: true },
  },
  trash: {
    address: "/?trash",
    filter: "",
    placeholder: t("Search the trash"),
    asks: { trashed: true },
  },
};

/** The choices of the filter; starred documents and the trash are places of their own. */
export const FILTERS = ["documents", "mine", "shared"] as const;

export type Filter = (typeof FILTERS)[number];
