/** The port between documents and the network: what a session asks of a connection, whoever provides it. */

import type { LinkStatus } from "./state.js";
import type { LocalUser, ServerError } from "./types.js";

/** What came of a request: the ack's value, or nothing (the link was lost, or the time was up). */
export type Answer = { readonly kind: "answered"; readonly value: unknown } | { readonly kind: "lost" };

/** What came of a fresh token: `lost` means that it could not be had or sent, and may be tried again. */
export type Authentication = "authenticated" | "refused" | "lost";

/** One document's ear on the connection. All calls come in the order of the wire, none after the detach. */
export interface Receiver {
  /** The link, or why the server does not give one, has changed. */
  linkChanged(link: LinkStatus): void;
  /** The server will not let this person connect; nothing is tried again until `reconnectNow`. */
  refused(error: ServerError): void;
  /** An event for this document; `args` are those behind the document id. */
  received(event: string, args: readonly unknown[]): void;
}

/**
 * One connection for any number of documents.
 *
 * Requests are at most once, and in order. `answered` is called exactly once per request, in wire order with events: before
 * `linkChanged` when the link is lost. Nothing is buffered while the link is down.
 */
export interface Connection {
  readonly link: LinkStatus;
  /** Why the server did not take the last try to connect, if it said so; it is tried again. */
  readonly turnedAway: ServerError | null;
  /** Hear of a document; the first one opens the connection, the last one to go closes it. */
  attach(documentId: string, receiver: Receiver): () => void;
  /** Send an event; without `timeout` (milliseconds) the answer may take for ever. */
  request(
    event: string,
    args: readonly unknown[],
    answered: (answer: Answer) => void,
    timeout?: number,
  ): void;
  setUser(user: LocalUser): void;
  /** Tell the server by a fresh token who this is; `refused` at once where there are no tokens. */
  authenticate(answered: (outcome: Authentication) => void): void;
  reconnectNow(): void;
}
