/** The REST side of the server as typed calls; everything that goes wrong is an ApiError or a NetworkError.
 *
 * ApiError: the server answered and refused. NetworkError: no answer, so a change may or may not have been made.
 * An abort by the caller's signal is passed on as it is.
 */

/** An entry of the server's catalogue of documents. */
export interface DocumentEntry {
  readonly id: string;
  readonly title: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it was put into the trash; null when it is not there. */
  readonly trashedAt: Date | null;
  /** Bytes of log and snapshot. */
  readonly size: number;
}

export interface DocumentPage {
  readonly documents: readonly DocumentEntry[];
  /** Pass it back for the next page; null on the last one. */
  readonly cursor: string | null;
}

export interface ListOptions {
  readonly query?: string;
  readonly trashed?: boolean;
  readonly limit?: number;
  readonly cursor?: string | null;
  readonly signal?: AbortSignal;
}

export interface Attachment {
  readonly url: string;
  readonly sha256: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface Api {
  readonly createDocument: (title?: string) => Promise<DocumentEntry>;
  readonly listDocuments: (options?: ListOptions) => Promise<DocumentPage>;
  readonly getDocument: (id: string, signal?: AbortSignal) => Promise<DocumentEntry>;
  readonly renameDocument: (id: string, title: string) => Promise<DocumentEntry>;
  readonly trashDocument: (id: string) => Promise<DocumentEntry>;
  readonly restoreDocument: (id: string) => Promise<DocumentEntry>;
  /** Deletes a document that is in the trash, for ever. */
  readonly deleteDocument: (id: string) => Promise<void>;
  readonly uploadAttachment: (id: string, image: Blob, signal?: AbortSignal) => Promise<Attachment>;
}

/** The server's refusal; `code` is one of the protocol's, or `bad_answer` when the answer has no known form. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }
}

export class NetworkError extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "NetworkError";
  }
}

/** The longest that a call waits for its whole answer; uploads wait as long as they take. */
const DEADLINE_MS = 20_000;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** `fetch` is the door to the network: the browser's own, or a test's. */
export function createApi(fetch: Fetch, base = ""): Api {
  const call = async (path: string, { method = "GET", body, signal }: Call = {}): Promise<unknown> => {
    const upload = body instanceof Blob;
    const signals = [signal, upload ? undefined : AbortSignal.timeout(DEADLINE_MS)];
    const init: RequestInit = {
      method,
      signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
      headers: { Accept: "application/json", ...(body === undefined || upload ? {} : JSON_TYPE) },
    };
    if (body !== undefined) init.body = upload ? body : JSON.stringify(body);
    try {
      const response = await fetch(base + path, init);
      return await read(response);
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) throw error;
      throw new NetworkError(error);
    }
  };
  const document = (id: string) => `/api/documents/${encodeURIComponent(id)}`;

  return {
    createDocument: async (title) =>
      toDocument(await call("/api/documents", { method: "POST", body: title ? { title } : {} })),
    listDocuments: async ({ signal, ...options } = {}) =>
      toPage(await call(`/api/documents?${listQuery(options)}`, { signal })),
    getDocument: async (id, signal) => toDocument(await call(document(id), { signal })),
    renameDocument: async (id, title) =>
      toDocument(await call(document(id), { method: "PATCH", body: { title } })),
    trashDocument: async (id) => toDocument(await call(`${document(id)}/trash`, { method: "POST" })),
    restoreDocument: async (id) => toDocument(await call(`${document(id)}/restore`, { method: "POST" })),
    deleteDocument: async (id) => {
      await call(document(id), { method: "DELETE" });
    },
    uploadAttachment: async (id, image, signal) =>
      toAttachment(await call(`${document(id)}/attachments`, { method: "POST", body: image, signal })),
  };
}

/** Returns what to tell a person about a failed call, in one sentence. */
export function explain(error: unknown): string {
  if (error instanceof NetworkError)
    return "The server cannot be reached. Check your connection and try again.";
  if (error instanceof ApiError) return error.message;
  return "Something went wrong in this page.";
}

const JSON_TYPE = { "Content-Type": "application/json" };

function listQuery({ query, trashed = false, limit, cursor }: Omit<ListOptions, "signal">): URLSearchParams {
  const parameters = new URLSearchParams({ trashed: String(trashed) });
  if (query) parameters.set("query", query);
  if (limit !== undefined) parameters.set("limit", String(limit));
  if (cursor) parameters.set("cursor", cursor);
  return parameters;
}

async function read(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  const text = await response.text();
  const answer = parse(text);
  if (response.ok && answer !== undefined) return answer;
  throw refusal(answer, response.status);
}

/** Returns undefined for what is no JSON, for instance a proxy's error page. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(answer: unknown, status: number): ApiError {
  const error = isRecord(answer) ? answer.error : undefined;
  if (isRecord(error) && typeof error.code === "string" && typeof error.message === "string") {
    return new ApiError(error.code, error.message, status);
  }
  return badAnswer(status);
}

function badAnswer(status: number): ApiError {
  return new ApiError("bad_answer", `The server gave an answer that makes no sense (${status}).`, status);
}

function toDocument(answer: unknown): DocumentEntry {
  if (!isRecord(answer) || typeof answer.id !== "string" || typeof answer.title !== "string")
    throw badAnswer(200);
  return {
    id: answer.id,
    title: answer.title,
    createdAt: new Date(String(answer.created_at)),
    updatedAt: new Date(String(answer.updated_at)),
    trashedAt: answer.trashed_at ? new Date(String(answer.trashed_at)) : null,
    size: Number(answer.size),
  };
}

function toPage(answer: unknown): DocumentPage {
  if (!isRecord(answer) || !Array.isArray(answer.documents)) throw badAnswer(200);
  return {
    documents: answer.documents.map(toDocument),
    cursor: typeof answer.cursor === "string" ? answer.cursor : null,
  };
}

function toAttachment(answer: unknown): Attachment {
  if (!isRecord(answer) || typeof answer.url !== "string") throw badAnswer(200);
  return {
    url: answer.url,
    sha256: String(answer.sha256),
    mediaType: String(answer.media_type),
    size: Number(answer.size),
    width: Number(answer.width),
    height: Number(answer.height),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
