/** What can be done to documents in the list: shown at once, taken back with a message when the server refuses. */
import { useMemo } from "react";
import { useLocation } from "wouter";
import { useApi } from "../api/ApiContext";
import { type Api, type DocumentEntry, explain, NetworkError } from "../api/api";
import { forgetDocument, rememberDocument } from "../api/knownDocuments";
import { makeHere } from "../api/waiting";
import { useMe } from "../api/whoAmI";
import { t } from "../i18n/t";
import { LINK_IS_CLOSED, LINK_REACHES } from "../page/sharing/roles";
import { type Toasts, useToasts } from "../ui/Toast";
import { labelsAfter } from "./LabelsDialog";
import type { TemplateName } from "./templates";
import { shownTitle } from "./titles";
import type { CatalogueView } from "./useCatalogue";

type Documents = readonly DocumentEntry[];

export interface DocumentActions {
  readonly rename: (document: DocumentEntry, title: string) => Promise<void>;
  readonly star: (documents: Documents, starred: boolean) => Promise<void>;
  readonly label: (documents: Documents, changes: ReadonlyMap<string, boolean>) => Promise<void>;
  readonly trash: (documents: Documents) => Promise<void>;
  readonly restore: (documents: Documents) => Promise<void>;
  /** Deletes for ever; the caller has asked for confirmation. */
  readonly destroy: (documents: Documents) => Promise<void>;
  readonly duplicate: (document: DocumentEntry) => Promise<void>;
  /** Gives up the access to somebody else's document; the caller has asked for confirmation. */
  readonly leave: (document: DocumentEntry) => Promise<void>;
  readonly copyLink: (document: DocumentEntry) => Promise<void>;
}

type List = Pick<CatalogueView, "put" | "take" | "refresh">;

export function useDocumentActions({ put, take, refresh }: List): DocumentActions {
  const api = useApi();
  const ownId = useMe()?.user.id ?? null;
  const toasts = useToasts();
  const [, navigate] = useLocation();
  return useMemo(
    () => createActions(api, toasts, { put, take, refresh }, ownId, navigate),
    [api, toasts, put, take, refresh, ownId, navigate],
  );
}

/** Returns a function that makes a document, empty or after a template, and opens it. */
export function useCreateDocument(): (template?: TemplateName) => Promise<void> {
  const api = useApi();
  const toasts = useToasts();
  const [, navigate] = useLocation();
  return useMemo(
    () => async (template) => {
      try {
        const document = await (template === undefined ? api.createDocument() : makeFrom(api, template));
        navigate(`/d/${document.id}`);
      } catch (error) {
        const id = error instanceof NetworkError && template === undefined ? await makeHere() : null;
        if (id !== null) {
          rememberDocument(id, "", "owner");
          navigate(`/d/${id}`);
          toasts.show({
            message: t(
              "The server cannot be reached. The new document is kept on this device, and sent later.",
            ),
          });
          return;
        }
        toasts.show({ message: `${t("No document was made.")} ${explain(error)}`, tone: "error" });
      }
    },
    [api, toasts, navigate],
  );
}

async function makeFrom(api: Api, template: TemplateName): Promise<{ readonly id: string }> {
  const { makeFromTemplate } = await import("../page/making");
  return makeFromTemplate(api, template);
}

const named = ({ title }: DocumentEntry) => ({ title: shownTitle(title) });
/** The number of some documents, and the title of the first. */
const of = (documents: Documents) => ({
  count: documents.length,
  title: shownTitle(documents[0]?.title ?? ""),
});

/** Requests at once: more would only wait in the browser, and count against the server's rates. */
const AT_ONCE = 4;

function createActions(
  api: Api,
  toasts: Toasts,
  { put, take, refresh }: List,
  ownId: string | null,
  navigate: (address: string) => void,
): DocumentActions {
  const fail = (what: string, error: unknown) => {
    toasts.show({ message: `${what} ${explain(error)}`, tone: "error" });
  };

  /** Does something to each document, a few at a time; puts those back that were refused. Returns those that were not. */
  const toEach = async (
    documents: Documents,
    act: (document: DocumentEntry) => Promise<unknown>,
    failure: (refused: Documents) => string,
  ): Promise<Documents> => {
    const refused: DocumentEntry[] = [];
    let reason: unknown = null;
    const waiting = [...documents];
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        try {
          await act(next);
        } catch (error) {
          refused.push(next);
          reason = error;
          put(next);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    refresh(); // the list that is shown by now may have been asked for before the server did this
    if (refused.length > 0) fail(failure(refused), reason);
    return documents.filter((document) => !refused.includes(document));
  };

  /** Moves documents out of the list they are in, and offers the way back. */
  const move = async (
    documents: Documents,
    there: Api["trashDocument"],
    back: Api["trashDocument"],
    said: (moved: Documents) => string,
  ) => {
    for (const { id } of documents) take(id);
    const moved = await toEach(
      documents,
      ({ id }) => there(id),
      (refused) =>
        t("{count, plural, one {“{title}” was not moved.} other {# documents were not moved.}}", of(refused)),
    );
    if (moved.length === 0) return;
    const undo = () =>
      toEach(
        moved,
        async ({ id }) => put(await back(id)),
        (refused) =>
          t(
            "{count, plural, one {“{title}” stays where it is.} other {# documents stay where they are.}}",
            of(refused),
          ),
      );
    toasts.show({
      message: said(moved),
      action: { label: t("Undo"), onAction: undo },
    });
  };

  return {
    rename: async (document, title) => {
      put({ ...document, title });
      try {
        put(await api.renameDocument(document.id, title));
      } catch (error) {
        put(document);
        fail(t("“{title}” keeps its title.", named(document)), error);
      } finally {
        refresh();
      }
    },
    star: async (documents, starred) => {
      for (const document of documents) put({ ...document, starred });
      await toEach(
        documents,
        ({ id }) => api.starDocument(id, starred),
        (refused) =>
          starred
            ? t(
                "{count, plural, one {“{title}” did not get your star.} other {# documents did not get your star.}}",
                of(refused),
              )
            : t(
                "{count, plural, one {“{title}” keeps your star.} other {# documents keep your star.}}",
                of(refused),
              ),
      );
    },
    label: async (documents, changes) => {
      const changed = documents.filter(
        ({ labels }) => String(labelsAfter(labels, changes)) !== String(labels),
      );
      await toEach(
        changed,
        async ({ id, labels }) => put(await api.labelDocument(id, labelsAfter(labels, changes))),
        (refused) =>
          t(
            "{count, plural, one {“{title}” keeps its labels.} other {# documents keep their labels.}}",
            of(refused),
          ),
      );
    },
    trash: (documents) =>
      move(documents, api.trashDocument, api.restoreDocument, (moved) =>
        t(
          "{count, plural, one {“{title}” was moved to the trash.} other {# documents were moved to the trash.}}",
          of(moved),
        ),
      ),
    restore: (documents) =>
      move(documents, api.restoreDocument, api.trashDocument, (moved) =>
        t(
          "{count, plural, one {“{title}” was moved to your documents.} other {# documents were moved to your documents.}}",
          of(moved),
        ),
      ),
    destroy: async (documents) => {
      for (const { id } of documents) take(id);
      const gone = await toEach(
        documents,
        async ({ id }) => {
          await api.deleteDocument(id);
          forgetDocument(id);
        },
        (refused) =>
          t(
            "{count, plural, one {“{title}” was not deleted.} other {# documents were not deleted.}}",
            of(refused),
          ),
      );
      if (gone.length > 0)
        toasts.show({
          message: t(
            "{count, plural, one {“{title}” was deleted.} other {# documents were deleted.}}",
            of(gone),
          ),
        });
    },
    duplicate: async (document) => {
      const notice = toasts.show({
        message: t("Copying “{title}”…", named(document)),
        duration: Number.POSITIVE_INFINITY,
      });
      try {
        const { duplicate } = await import("../page/making");
        const { id, loss } = await duplicate(api, document);
        put(await api.getDocument(id));
        refresh();
        toasts.show({
          message: [t("“{title}” was copied.", named(document)), loss].join(" ").trim(),
          action: { label: t("Open the copy"), onAction: () => navigate(`/d/${id}`) },
        });
      } catch (error) {
        fail(t("“{title}” was not copied.", named(document)), error);
      } finally {
        toasts.dismiss(notice);
      }
    },
    leave: async (document) => {
      if (ownId === null) return;
      take(document.id);
      try {
        await api.removePerson(document.id, ownId);
        forgetDocument(document.id);
        toasts.show({ message: t("You left “{title}”.", named(document)) });
      } catch (error) {
        put(document);
        fail(t("You are still in “{title}”.", named(document)), error);
      } finally {
        refresh();
      }
    },
    copyLink: async (document) => {
      const { link, reach } = await linkTo(api, document);
      try {
        await navigator.clipboard.writeText(link);
        toasts.show({ message: [t("The link is on the clipboard."), reach].join(" ").trim() });
      } catch {
        toasts.show({
          message: t("The browser refused the clipboard. The link is {link}", { link }),
          tone: "error",
        });
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
    const reach = link.role === null ? LINK_IS_CLOSED : LINK_REACHES[link.role];
    return { link: absolute((link.role && link.url) || plain), reach };
  } catch {
    return { link: absolute(plain), reach: "" };
  }
}
