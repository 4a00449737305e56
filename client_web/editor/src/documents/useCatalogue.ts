/** Keeps the list of documents in step with the server: search, pages, and a look again when the page returns. */
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { useApi } from "../api/ApiContext";
import type { DocumentEntry, Order } from "../api/api";
import { afterEvent, type Catalogue, type CatalogueEvent } from "./catalogue";
import { type DocumentsView, VIEWS } from "./views";

const PAGE_LENGTH = 50;

export interface CatalogueView {
  readonly catalogue: Catalogue;
  /** The shown documents answer an earlier search than the one asked for. */
  readonly stale: boolean;
  readonly retry: () => void;
  readonly loadMore: () => void;
  /** Both change only the list that they belong to: another one may be shown by the time that the server answers. */
  readonly put: (document: DocumentEntry) => void;
  readonly take: (id: string) => void;
  /** Asks anew for whichever list is shown. */
  readonly refresh: () => void;
}

/** What somebody looks for within a view. */
export interface Search {
  readonly query: string;
  /** "" for any. */
  readonly label: string;
  readonly order: Order;
}

export function useCatalogue(view: DocumentsView, { query, label, order }: Search): CatalogueView {
  const api = useApi();
  const list = `${view} ${order} ${label}`;
  const asks = useMemo(
    () => ({ ...VIEWS[view].asks, query, label, order, limit: PAGE_LENGTH }),
    [view, query, label, order],
  );
  /** Late answers about another list are of no use. */
  const shown = useRef(list);
  const [catalogue, dispatch] = useReducer(afterEvent, { status: "loading" } as Catalogue);
  const [attempt, setAttempt] = useState(0);
  const ready = catalogue.status === "ready";
  const cursor = ready ? catalogue.cursor : null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is the same question asked again
  useEffect(() => {
    const abort = new AbortController();
    dispatch({ type: shown.current === list ? "asked" : "left" });
    shown.current = list;
    api.listDocuments({ ...asks, signal: abort.signal }).then(
      (page) =>
        abort.signal.aborted || dispatch({ type: "listed", page, query: asks.query, order: asks.order }),
      (error: unknown) => abort.signal.aborted || dispatch({ type: "failed", error }),
    );
    return () => abort.abort();
  }, [api, list, asks, attempt]);

  const retry = useCallback(() => setAttempt((before) => before + 1), []);

  const refreshes = useRef(0);
  const refreshShown = useCallback(() => {
    if (!ready) return retry();
    refreshes.current += 1;
    const number = refreshes.current;
    api.listDocuments(asks).then(
      (page) =>
        shown.current === list &&
        number === refreshes.current &&
        dispatch({ type: "refreshed", page, query: asks.query, order: asks.order }),
      () => undefined, // what is on the page may still be looked at; the next question will tell
    );
  }, [api, list, asks, ready, retry]);
  const latest = useRef(refreshShown);
  useEffect(() => {
    latest.current = refreshShown;
  }, [refreshShown]);
  const refresh = useCallback(() => latest.current(), []);
  useReturn(refresh);

  const loadMore = useCallback(() => {
    dispatch({ type: "more asked" });
    api.listDocuments({ ...asks, cursor }).then(
      (page) =>
        shown.current === list &&
        dispatch({ type: "more listed", page, query: asks.query, order: asks.order }),
      () => dispatch({ type: "more failed" }),
    );
  }, [api, list, asks, cursor]);

  const change = useCallback((event: CatalogueEvent) => shown.current === list && dispatch(event), [list]);
  const put = useCallback((document: DocumentEntry) => change({ type: "put", document }), [change]);
  const take = useCallback((id: string) => change({ type: "taken", id }), [change]);
  return { catalogue, stale: ready && catalogue.query !== query, retry, loadMore, put, take, refresh };
}

/** Calls `onReturn` when the tab is looked at again or the network is back. */
function useReturn(onReturn: () => void): void {
  useEffect(() => {
    const whenVisible = () => {
      if (document.visibilityState === "visible") onReturn();
    };
    document.addEventListener("visibilitychange", whenVisible);
    window.addEventListener("online", onReturn);
    return () => {
      document.removeEventListener("visibilitychange", whenVisible);
      window.removeEventListener("online", onReturn);
    };
  }, [onReturn]);
}
