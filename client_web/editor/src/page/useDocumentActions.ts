/** What can be done with a document besides writing in it; each action tells the person itself when it fails. */

import type { Provider } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { useMemo } from "react";
import { useLocation } from "wouter";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import { forgetDocument } from "../api/knownDocuments";
import { isForbidden, NetworkError } from "../api/rest";
import { keepTitle, waitingFor } from "../api/waiting";
import { keepPicture } from "../api/waitingPictures";
import { shownTitle } from "../documents/titles";
import type { StoredImage } from "../extensions/uploads";
import { askForDescription } from "../features/pictures/asking";
import { t } from "../i18n/t";
import { useToasts } from "../ui/Toast";
import { useOpen } from "./useProvider";

const loadCopies = () => import("./copies");

export interface DocumentActions {
  readonly rename: (title: string) => Promise<void>;
  /** Moves the document to the trash, and leads to the list. */
  readonly trash: () => Promise<void>;
  readonly restore: () => Promise<void>;
  readonly saveAsNewDocument: () => Promise<void>;
  /** The server makes it, so it holds what is saved. */
  readonly downloadMarkdown: () => Promise<void>;
  readonly downloadText: () => Promise<void>;
  /** Copies of the document's earlier lives, which the provider keeps apart. */
  readonly downloadSeparateCopies: () => Promise<void>;
  readonly deleteSeparateCopies: () => Promise<void>;
  readonly copyLink: (address: string) => void;
  /** This person has left the document: it is none of theirs any more. */
  readonly goHome: () => void;
  readonly storeImage: (file: File) => Promise<StoredImage>;
  readonly askForDescription: (editor: Editor, addresses: readonly string[]) => void;
  readonly reportUpload: (name: string, reason: unknown) => void;
  readonly tell: (sentence: string) => void;
  /** Says why something was not done that this person may perhaps do in another role or mode. */
  readonly refuse: (sentence: string) => void;
  readonly reportFailure: (reason: unknown) => void;
}

export function useDocumentActions({
  provider,
  title,
}: {
  readonly provider: Provider;
  readonly title: string;
}) {
  const api = useApi();
  const open = useOpen();
  const toasts = useToasts();
  const [, navigate] = useLocation();
  return useMemo((): DocumentActions => {
    const { documentId } = provider;
    const fail = (what: string) => (reason: unknown) => {
      toasts.show({ tone: "error", message: `${what} ${explain(reason)}`, isOfRights: isForbidden(reason) });
    };
    const tell = (message: string) => void toasts.show({ message, duration: READING_MS });
    return {
      rename: async (wanted) => {
        const isMadeHere = waitingFor(documentId)?.secret !== undefined;
        try {
          if (isMadeHere) throw new NetworkError("The server does not have the document yet.");
          await api.renameDocument(documentId, wanted);
        } catch (error) {
          const isKept = error instanceof NetworkError && keepTitle(documentId, wanted);
          if (!isKept) fail(t("The title was not saved."))(error);
        }
      },
      trash: () =>
        api.trashDocument(documentId).then(
          () => {
            navigate("/");
            toasts.show({
              message: t("“{title}” was moved to the trash.", { title: shownTitle(title) }),
              action: {
                label: t("Undo"),
                onAction: () =>
                  void api
                    .restoreDocument(documentId)
                    .then(() => navigate(`/d/${documentId}`), fail(t("The document stays in the trash."))),
              },
            });
          },
          fail(t("The document was not moved.")),
        ),
      restore: () => api.restoreDocument(documentId).then(nothing, fail(t("The document was not restored."))),
      saveAsNewDocument: async () => {
        try {
          const { lossOf, saveAsNew } = await loadCopies();
          const copyTitle = t("{title} (copy)", { title: shownTitle(title) });
          const { id, lostPictures } = await saveAsNew({ api, open, source: provider, title: copyTitle });
          navigate(`/d/${id}`);
          if (lostPictures > 0) tell(lossOf(lostPictures));
        } catch (error) {
          fail(t("No copy was made."))(error);
        }
      },
      downloadMarkdown: async () => {
        const { status, unsaved } = provider.snapshot();
        if (status !== "synced" || unsaved > 0) {
          tell(
            t("The server makes Markdown, and does not have all changes yet. Try again once they are saved."),
          );
          return;
        }
        try {
          const [{ markdownFile, save }, words] = await Promise.all([
            loadCopies(),
            api.readMarkdown(documentId),
          ]);
          save(markdownFile(words, title));
        } catch (error) {
          fail(t("No file was made."))(error);
        }
      },
      downloadText: async () => {
        try {
          const { save, textCopyOf } = await loadCopies();
          save(textCopyOf(provider.copy(), title));
        } catch (error) {
          fail(t("No file was made."))(error);
        }
      },
      downloadSeparateCopies: () =>
        eachCopy(provider, async (name) => {
          const { copyOf, lossOf, save } = await loadCopies();
          const copy = await copyOf(
            await provider.readSeparateCopy(name),
            t("{title} (earlier)", { title: title || t("Document") }),
          );
          save(copy);
          if (copy.lostPictures > 0) tell(lossOf(copy.lostPictures));
        }).catch(fail(t("The copy cannot be read."))),
      deleteSeparateCopies: () =>
        eachCopy(provider, (name) => provider.deleteSeparateCopy(name)).catch(
          fail(t("The copy was not deleted.")),
        ),
      copyLink: (link) => {
        copyText(link).then(
          () => toasts.show({ message: t("The link is on the clipboard.") }),
          () =>
            toasts.show({
              message: t("Copy this link: {link}", { link }),
              duration: Number.POSITIVE_INFINITY,
            }),
        );
      },
      goHome: () => {
        forgetDocument(documentId);
        navigate("/");
        toasts.show({ message: t("You left “{title}”.", { title: shownTitle(title) }) });
      },
      storeImage: async (file) => {
        const isMadeHere = waitingFor(documentId)?.secret !== undefined;
        try {
          if (isMadeHere) throw new NetworkError("The server does not have the document yet.");
          return await api.uploadAttachment(documentId, file);
        } catch (error) {
          const kept = error instanceof NetworkError ? await keepPicture(documentId, file) : null;
          if (kept === null) throw error;
          return kept;
        }
      },
      askForDescription: (editor, addresses) => {
        const message =
          addresses.length === 1
            ? t("The picture is in the document. Some readers cannot see it.")
            : t("The pictures are in the document. Some readers cannot see them.");
        const altText = t("Select the picture and choose “Describe the picture” among its tools");
        const onAction = () => askForDescription(editor, addresses);
        toasts.show({ message, action: { label: t("Describe"), altText, onAction }, duration: READING_MS });
      },
      reportUpload: (name, reason) => fail(t("“{name}” was not added.", { name }))(reason),
      tell,
      refuse: (message) => void toasts.show({ message, duration: READING_MS, isOfRights: true }),
      reportFailure: fail(t("That did not work.")),
    };
  }, [api, open, toasts, navigate, provider, title]);
}

/** Sentences of thirty words are not read in six seconds. */
const READING_MS = 12_000;

async function eachCopy(provider: Provider, act: (name: string) => Promise<void>): Promise<void> {
  for (const name of provider.snapshot().separateCopies) await act(name);
}

function nothing(): void {}

async function copyText(text: string): Promise<void> {
  // Absent on pages that are served over plain http from another machine.
  if (!navigator.clipboard) throw new Error("This browser lets the page copy nothing");
  await navigator.clipboard.writeText(text);
}
