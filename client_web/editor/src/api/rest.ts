/** One call to the server's REST side; everything that goes wrong is an ApiError or a NetworkError.
 *
 * ApiError: the server answered and refused. NetworkError: no answer of the server, so a change may or may not have been
 * made. Whatever is no JSON comes from something in the network: a hotel's sign-in page, a proxy with no server behind it.
 * An abort by the caller's signal is passed on as it is.
 */

import { t } from "../i18n/t";
import { refusalWords } from "./refusals";
import type * as wire from "./wire";

/** The server's refusal; `code` is one of the protocol's, or `bad_answer` when the answer has no known form. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  /** Where to sign in, on this server; null where there is no such place, and with refusals for other reasons. */
  readonly signIn: string | null;

  constructor(code: string, message: string, status: number, signIn: string | null = null) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.signIn = signIn;
  }
}

/** Whether something was refused because of what this person may do. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "forbidden" || error.code === "not_a_suggestion");
}

export class NetworkError extends Error {
  /** Whether something in the network answered in the server's place. */
  readonly intercepted: boolean;

  constructor(cause: unknown, intercepted = false) {
    super(t("The server cannot be reached."), { cause });
    this.name = "NetworkError";
    this.intercepted = intercepted;
  }
}

/** The longest that a call waits for its whole answer; uploads wait as long as they take. */
const DEADLINE_MS = 20_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** The media type of an answer that is a text, and no JSON. */
  readonly text?: string;
}

/** Returns the answer's JSON, null for one without a body; a string if a text was asked for. */
export type Call = (path: string, options?: CallOptions) => Promise<unknown>;

/** `fetch` is the door to the network: the browser's own, or a test's. */
export function createCall(fetch: Fetch, base = ""): Call {
  return async (path, { method = "GET", body, signal, text } = {}) => {
    const upload = body instanceof Blob;
    const signals = [signal, upload ? undefined : AbortSignal.timeout(DEADLINE_MS)];
    const init: RequestInit = {
      method,
      signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
      headers: {
        Accept: text ?? JSON_TYPE["Content-Type"],
        ...(body === undefined || upload ? {} : JSON_TYPE),
      },
    };
    if (body !== undefined) init.body = upload ? body : JSON.stringify(body);
    try {
      const response = await fetch(base + path, init);
      return await read(response, text);
    } catch (error) {
      if (error instanceof ApiError || error instanceof NetworkError || signal?.aborted) throw error;
      throw new NetworkError(error);
    }
  };
}

/** Returns what to tell a person about a failed call, in one sentence. */
export function explain(error: unknown): string {
  if (error instanceof NetworkError && error.intercepted)
    return t(
      "Something in the network answers in the server's place. Perhaps the network wants you to sign in to it first.",
    );
  if (error instanceof NetworkError)
    return t("The server cannot be reached. Check your connection and try again.");
  if (error instanceof ApiError) return refusalWords(error);
  return t("Something went wrong in this page.");
}

export function badAnswer(status: number): ApiError {
  const words = t("The server gave an answer that makes no sense ({status}).", { status });
  return new ApiError("bad_answer", words, status);
}

/** An answer that is said to be a `Form`: its members have the right names, and any value until they are looked at. */
export type Unchecked<Form> = { readonly [Name in keyof Form]?: unknown };

export function isRecord<Form = Readonly<Record<string, unknown>>>(value: unknown): value is Unchecked<Form> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const JSON_TYPE = { "Content-Type": "application/json" };

async function read(response: Response, media?: string): Promise<unknown> {
  if (response.status === 204) return null;
  const isText =
    media !== undefined && response.ok && response.headers.get("Content-Type")?.startsWith(media);
  if (isText) return response.text();
  const text = await response.text();
  const answer = parse(text);
  if (answer === undefined) throw new NetworkError(`no JSON (${response.status})`, true);
  if (response.ok) return answer;
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
  const { error, sign_in: signIn }: Unchecked<wire.Error> = isRecord<wire.Error>(answer) ? answer : {};
  if (isRecord<wire.Refusal>(error) && typeof error.code === "string" && typeof error.message === "string")
    return new ApiError(error.code, error.message, status, localPath(signIn));
  return badAnswer(status);
}

/** Returns the path if it leads to a page of this server. */
function localPath(path: unknown): string | null {
  return typeof path === "string" && /^\/(?!\/)/.test(path) ? path : null;
}
