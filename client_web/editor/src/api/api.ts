/** The REST side of the server as typed calls; what goes wrong is told as in rest.ts. */
import { type Me, meCalls, type PersonLook, type PersonRef, toPerson } from "./me";
import { badAnswer, type Call, createCall, type Fetch, isRecord } from "./rest";
import { isRole, type Role, type SharingCalls, sharingCalls } from "./sharing";
import type * as wire from "./wire";

export { ApiError, explain, NetworkError } from "./rest";

/** An entry of the server's catalogue of documents. */
export interface DocumentEntry extends Pick<wire.Document, "id" | "title" | "size"> {
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it was put into the trash; null when it is not there. */
  readonly trashedAt: Date | null;
  /** What this person may do with it; null where the server does not say. */
  readonly role: Role | null;
  /** Whose edit was the last one; null when that is not known, or the last change was a new title. */
  readonly editedBy: wire.Editor | null;
  /** null for a document that belongs to nobody. */
  readonly owner: PersonRef | null;
  /** This person's own star. */
  readonly starred: boolean;
  /** When this person opened it last; null before the first time. */
  readonly openedAt: Date | null;
  /** The document's, for everybody who may read it. */
  readonly labels: readonly string[];
  /** How many people ask for access, as far as this person may share the document. */
  readonly requests: number;
  /** The first line that is not the title; empty if there is none. */
  readonly preview: string;
}

export interface DocumentPage {
  readonly documents: readonly DocumentEntry[];
  /** Pass it back for the next page; null on the last one. */
  readonly cursor: string | null;
}

export type Order = "edited" | "title" | "created" | "opened";

export interface ListOptions {
  readonly query?: string;
  readonly trashed?: boolean;
  /** Only what others have shared with this person (true), or only their own (false). */
  readonly shared?: boolean | undefined;
  /** Only what has this person's star. */
  readonly starred?: boolean | undefined;
  /** Only what has this label. */
  readonly label?: string;
  /** By the last edit when absent. */
  readonly order?: Order;
  readonly limit?: number;
  readonly cursor?: string | null;
  readonly signal?: AbortSignal;
}

export interface Attachment extends Omit<wire.Attachment, "media_type"> {
  readonly mediaType: string;
}

export interface Api extends SharingCalls {
  /** For features whose own calls come with their code. */
  readonly call: Call;
  /** Who this person is for the server; a guest who is new here gets a cookie by it. */
  readonly me: () => Promise<Me>;
  readonly changeMe: (look: PersonLook) => Promise<Me>;
  /** Forget who this person is. */
  readonly endSession: () => Promise<void>;
  /** With a secret: makes the document whose id is derived from it, once. */
  readonly createDocument: (title?: string, secret?: string) => Promise<DocumentEntry>;
  readonly listDocuments: (options?: ListOptions) => Promise<DocumentPage>;
  readonly getDocument: (id: string, signal?: AbortSignal) => Promise<DocumentEntry>;
  readonly renameDocument: (id: string, title: string) => Promise<DocumentEntry>;
  readonly starDocument: (id: string, starred: boolean) => Promise<DocumentEntry>;
  readonly labelDocument: (id: string, labels: readonly string[]) => Promise<DocumentEntry>;
  /** The labels in this person's list. */
  readonly listLabels: () => Promise<readonly string[]>;
  /** Tells the server that this person has opened a document. */
  readonly noteOpened: (id: string) => Promise<void>;
  readonly trashDocument: (id: string) => Promise<DocumentEntry>;
  readonly restoreDocument: (id: string) => Promise<DocumentEntry>;
  /** Deletes a document that is in the trash, for ever. */
  readonly deleteDocument: (id: string) => Promise<void>;
  /** Adds a picture of another document, by its address there; returns its address here. */
  readonly copyAttachment: (id: string, address: string) => Promise<string>;
  /** Returns the document as Markdown, with all that the server has acknowledged. */
  readonly readMarkdown: (id: string) => Promise<string>;
  readonly uploadAttachment: (id: string, image: Blob, signal?: AbortSignal) => Promise<Attachment>;
}

/** `fetch` is the door to the network: the browser's own, or a test's. */
export function createApi(fetch: Fetch, base = ""): Api {
  const call = createCall(fetch, base);
  const document = (id: string) => `/api/documents/${encodeURIComponent(id)}`;

  return {
    call,
    ...meCalls(call),
    ...sharingCalls(call),
    createDocument: async (title, secret) =>
      toDocument(
        await call("/api/documents", {
          method: "POST",
          body: {
            ...(title ? { title } : {}),
            ...(secret === undefined ? {} : { secret }),
          } satisfies wire.NewDocument,
        }),
      ),
    listDocuments: async ({ signal, ...options } = {}) =>
      toPage(await call(`/api/documents?${listQuery(options)}`, { signal })),
    getDocument: async (id, signal) => toDocument(await call(document(id), { signal })),
    renameDocument: async (id, title) =>
      toDocument(await call(document(id), { method: "PATCH", body: { title } satisfies wire.Title })),
    starDocument: async (id, starred) =>
      toDocument(
        await call(`${document(id)}/star`, { method: "PUT", body: { starred } satisfies wire.Star }),
      ),
    labelDocument: async (id, labels) => {
      const body = { labels: [...labels] } satisfies wire.LabelsChange;
      return toDocument(await call(`${document(id)}/labels`, { method: "PUT", body }));
    },
    listLabels: async () => {
      const answer = await call("/api/labels");
      return isRecord<wire.Labels>(answer) ? toLabels(answer.labels) : [];
    },
    noteOpened: async (id) => {
      await call(`${document(id)}/opened`, { method: "POST" });
    },
    trashDocument: async (id) => toDocument(await call(`${document(id)}/trash`, { method: "POST" })),
    restoreDocument: async (id) => toDocument(await call(`${document(id)}/restore`, { method: "POST" })),
    deleteDocument: async (id) => {
      await call(document(id), { method: "DELETE" });
    },
    copyAttachment: async (id, address) => {
      const [, , , owner = "", , sha256] = address.split("/");
      const copied = `${document(id)}/attachments/${sha256}`;
      const body = { document_id: owner } satisfies wire.PictureSource;
      await call(copied, { method: "PUT", body });
      return copied;
    },
    readMarkdown: async (id) =>
      String(await call(`${document(id)}/content?as=markdown`, { text: "text/markdown" })),
    uploadAttachment: async (id, image, signal) =>
      toAttachment(await call(`${document(id)}/attachments`, { method: "POST", body: image, signal })),
  };
}

function listQuery({
  query,
  trashed = false,
  shared,
  starred,
  label,
  order,
  limit,
  cursor,
}: Omit<ListOptions, "signal">): URLSearchParams {
  const parameters = new URLSearchParams({ trashed: String(trashed) });
  if (query) parameters.set("query", query);
  if (shared !== undefined) parameters.set("shared", String(shared));
  if (starred) parameters.set("starred", "true");
  if (label) parameters.set("label", label);
  if (order !== undefined && order !== "edited") parameters.set("sort", order);
  if (limit !== undefined) parameters.set("limit", String(limit));
  if (cursor) parameters.set("cursor", cursor);
  return parameters;
}

function toDocument(answer: unknown): DocumentEntry {
  if (!isRecord<wire.Document>(answer) || typeof answer.id !== "string" || typeof answer.title !== "string")
    throw badAnswer(200);
  return {
    id: answer.id,
    title: answer.title,
    createdAt: new Date(String(answer.created_at)),
    updatedAt: new Date(String(answer.updated_at)),
    trashedAt: answer.trashed_at ? new Date(String(answer.trashed_at)) : null,
    size: Number(answer.size),
    role: isRole(answer.role) ? answer.role : null,
    editedBy: toEditor(answer.edited_by),
    owner: toPerson(answer.owner),
    starred: answer.starred === true,
    openedAt: answer.opened_at ? new Date(String(answer.opened_at)) : null,
    labels: toLabels(answer.labels),
    requests: Number(answer.requests ?? 0),
    preview: typeof answer.preview === "string" ? answer.preview : "",
  };
}

function toEditor(answer: unknown): wire.Editor | null {
  if (!isRecord<wire.Editor>(answer) || typeof answer.id !== "string" || typeof answer.name !== "string")
    return null;
  return { id: answer.id, name: answer.name };
}

function toLabels(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.filter((label) => typeof label === "string") : [];
}

function toPage(answer: unknown): DocumentPage {
  if (!isRecord<wire.Documents>(answer) || !Array.isArray(answer.documents)) throw badAnswer(200);
  return {
    documents: answer.documents.map(toDocument),
    cursor: typeof answer.cursor === "string" ? answer.cursor : null,
  };
}

function toAttachment(answer: unknown): Attachment {
  if (!isRecord<wire.Attachment>(answer) || typeof answer.url !== "string") throw badAnswer(200);
  return {
    url: answer.url,
    sha256: String(answer.sha256),
    mediaType: String(answer.media_type),
    size: Number(answer.size),
    width: Number(answer.width),
    height: Number(answer.height),
  };
}
