/** What can be done to documents in the list: shown at once, taken back with a message when the server refuses. */
import { useMemo } from "react";
import { useLocation } from "wouter";
import { useApi } from "../api/ApiContext";
import { type Api, type DocumentEntry, explain } from "../api/api";
import { forgetDocument } from "../api/knownDocuments";
import { useMe } from "../api/whoAmI";
import { LINK_IS_CLOSED, LINK_REACHES } from "../page/sharing/roles";
import { type Toasts, useToasts } from "../ui/Toast";
import { shownTitle } from "./titles";
import type { CatalogueView } from "./useCatalogue";

export interface DocumentActions {
  readonly rename: (document: DocumentEntry, title: string) => Promise<void>;
  readonly trash: (document: DocumentEntry) => Promise<void>;
  readonly restore: (document: DocumentEntry) => Promise<void>;
  /** Deletes for ever; the caller has asked for confirmation. */
  readonly destroy: (document: DocumentEntry) => Promise<void>;
  /** Gives up the access to somebody else's document; the caller has asked for confirmation. */
  readonly leave: (document: DocumentEntry) => Promise<void>;
  readonly copyLink: (document: DocumentEntry) => Promise<void>;
}

type List = Pick<CatalogueView, "put" | "take">;

export function useDocumentActions({ put, take }: List): DocumentActions {
  const api = useApi();
  const ownId = useMe()?.user.id ?? null;
  const toasts = useToasts();
  return useMemo(() => createActions(api, toasts, { put, take }, ownId), [api, toasts, put, take, ownId]);
}

/** Returns a function that makes a document and opens it. */
export function useCreateDocument(): () => Promise<void> {
  const api = useApi();
  const toasts = useToasts();
  const [, navigate] = useLocation();
  return useMemo(
    () => async () => {
      try {
        const document = await api.createDocument();
        navigate(`/d/${document.id}`);
      } catch (error) {
        toasts.show({ message: `No document was made. ${explain(error)}`, tone: "error" });
      }
    },
    [api, toasts, navigate],
  );
}

function createActions(api: Api, toasts: Toasts, { put, take }: List, ownId: string | null): DocumentActions {
  const fail = (what: string, error: unknown) => {
    toasts.show({ message: `${what} ${explain(error)}`, tone: "error" });
  };
  const quoted = (document: DocumentEntry) => `“${shownTitle(document.title)}”`;

  /** Moves a document out of the list it is in, and offers the way back. */
  const move = async (
    document: DocumentEntry,
    there: Api["trashDocument"],
    back: Api["trashDocument"],
    where: string,
  ) => {
    take(document.id);
    try {
      await there(document.id);
    } catch (error) {
      put(document);
      return fail(`${quoted(document)} was not moved.`, error);
    }
    const undo = async () => {
      try {
        put(await back(document.id));
      } catch (error) {
        fail(`${quoted(document)} stays where it is.`, error);
      }
    };
    toasts.show({
      message: `${quoted(document)} was moved to ${where}.`,
      action: { label: "Undo", onAction: undo },
    });
  };

  return {
    rename: async (document, title) => {
      put({ ...document, title });
      try {
        put(await api.renameDocument(document.id, title));
      } catch (error) {
        put(document);
        fail(`${quoted(document)} keeps its title.`, error);
      }
    },
    trash: (document) => move(document, api.trashDocument, api.restoreDocument, "the trash"),
    restore: (document) => move(document, api.restoreDocument, api.trashDocument, "your documents"),
    destroy: async (document) => {
      take(document.id);
      try {
        await api.deleteDocument(document.id);
        forgetDocument(document.id);
        toasts.show({ message: `${quoted(document)} was deleted.` });
      } catch (error) {
        put(document);
        fail(`${quoted(document)} was not deleted.`, error);
      }
    },
    leave: async (document) => {
      if (ownId === null) return;
      take(document.id);
      try {
        await api.removePerson(document.id, ownId);
        forgetDocument(document.id);
        toasts.show({ message: `You left ${quoted(document)}.` });
      } catch (error) {
        put(document);
        fail(`You are still in ${quoted(document)}.`, error);
      }
    },
    copyLink: async (document) => {
      const { link, reach } = await linkTo(api, document);
      try {
        await navigator.clipboard.writeText(link);
        toasts.show({ message: `The link is on the clipboard.${reach}` });
      } catch {
        toasts.show({ message: `The browser refused the clipboard. The link is ${link}`, tone: "error" });
      }
    },
  };
}

/** Returns the address to send to others, and what there is to say about whom it lets in. Only the owner knows a link's secret. */
async function linkTo(
  api: Api,
  document: DocumentEntry,
): Promise<{ readonly link: string; readonly reach: string }> {
  const plain = `/d/${document.id}`;
  const absolute = (address: string) => new URL(address, window.location.href).href;
  if (document.role !== "owner") return { link: absolute(plain), reach: "" };
  try {
    const { link } = await api.getSharing(document.id);
    const reach = ` ${link.role === null ? LINK_IS_CLOSED : LINK_REACHES[link.role]}`;
    return { link: absolute((link.role && link.url) || plain), reach };
  } catch {
    return { link: absolute(plain), reach: "" };
  }
}
