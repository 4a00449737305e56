/** The public vocabulary of the provider: what an application reads, and the shape it may rely on. */

import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

/** Where the document stands towards the server; `synced` says nothing of durability, see `ProviderState.unsaved`. */
export type Status = "offline" | "connecting" | "syncing" | "synced";

export type Role = "owner" | "editor" | "commenter" | "viewer";

/** A vocabulary of rich text. Each version knows all that the versions of its name before it know. */
export interface Format {
  readonly name: string;
  readonly version: number;
}

/** The names that an editor knows; ProseMirror's `Schema` is one. */
export interface Vocabulary {
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly marks: Readonly<Record<string, unknown>>;
}

/** Why a page only reads. */
export interface ReadOnly {
  /** `format`: the page does not declare the document's format. `content`: the editor's schema lacks something. */
  readonly reason: "format" | "content";
  /** A sentence for people. */
  readonly message: string;
  /** The names of nodes and marks that the schema lacks, if a schema was given. */
  readonly unknown: readonly string[];
}

export type Durability = "ok" | "waiting";

export type ErrorCode =
  | "malformed"
  | "unknown_event"
  | "not_joined"
  | "unauthenticated"
  | "not_found"
  | "forbidden"
  | "not_a_suggestion"
  | "wrong_origin"
  | "wrong_host"
  | "bad_update"
  | "unsupported_content"
  | "missing_past"
  | "client_id_taken"
  | "too_large"
  | "too_costly"
  | "document_full"
  | "too_many"
  | "rate_limited"
  | "conflict"
  | "epoch_changed"
  | "quarantined"
  | "unavailable"
  | "other_format"
  | "deleted"
  | "draining"
  | "internal";

/** The server's no: a code for programs, a sentence for people. */
export interface ServerError {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * What a page may do about a trouble.
 * - `wait`: nothing; the provider tries again by itself.
 * - `sign_in`: bring a fresh token, or have the person sign in; then `connect()`, or a new provider.
 * - `ask_owner`: the person needs access that the document's owner gives.
 * - `open_anew`: load the page anew, or make a new provider with a new Y.Doc.
 * - `keep_copy`: offer `copy()` as a download; the changes go nowhere else.
 * - `tell_operator`: the server's settings or its store need somebody's hand.
 * - `report`: a fault of the page, the provider or the server.
 */
export type Todo = "wait" | "sign_in" | "ask_owner" | "open_anew" | "keep_copy" | "tell_operator" | "report";

/** Why something does not go as it should, in one name, and what to do. */
export interface Trouble {
  /** The server's code; `unreachable`: no server answers. */
  readonly reason: ErrorCode | "unreachable";
  /** What does not come about: the connection, this document's session, or that changes are taken. */
  readonly concerns: "connection" | "document" | "changes";
  /** A sentence for people. */
  readonly message: string;
  readonly todo: Todo;
  /** Whether the provider tries again without being asked. */
  readonly retries: boolean;
}

/** The server will not take this person's changes; they stay in `doc`, and nothing more is sent. */
export interface Refusal extends ServerError {
  /** Size of the refused batch in bytes. */
  readonly bytes: number;
}

export interface DocumentInfo {
  readonly title: string;
  /** ISO 8601, null while the document is not in the trash. */
  readonly trashedAt: string | null;
  /** The format of the rich text; absent until a writer has declared one. */
  readonly format?: Format;
  /** Whether the owner lets pages of other formats write the rich text. */
  readonly anyFormat?: true;
}

/** How a person wants to be seen; `color` is `#rrggbb`. */
export interface LocalUser {
  readonly name: string;
  readonly color: string;
}

/** A person as the server vouches for them; what `awareness` states of other people hold as `user`. */
export interface User extends LocalUser {
  readonly id: string;
}

/** Everything a page needs to tell its reader the truth. Each change makes a new object. */
export interface ProviderState {
  readonly status: Status;
  /** Local changes that are not durable on the server yet; 0 is what a page may call "Saved". */
  readonly unsaved: number;
  /** Whether the server's store takes changes at the moment. */
  readonly durability: Durability;
  /** null before the first join. */
  readonly role: Role | null;
  /**
   * Whether the server takes suggestions from this person now: of commenters nothing else, of editors also what is none.
   * False before the first join, in the trash, and while the document is read-only.
   */
  readonly canSuggest: boolean;
  /** Whether the server's content or the offline copy is in `doc`. */
  readonly loaded: boolean;
  /** Bytes of a large document that is being fetched in parts. */
  readonly progress: { readonly received: number; readonly total: number } | null;
  /** Known from the server, or offline from the copy. */
  readonly document: DocumentInfo | null;
  readonly refusal: Refusal | null;
  /**
   * Why this page only reads: it does not know the document's format, or something in the document. What its editor does
   * to `doc` is neither kept nor sent. That stays so until a new provider is made.
   */
  readonly readOnly: ReadOnly | null;
  /** Why the server takes no connection from this page at the moment (too many, shutting down …), if it said so; it is tried again. */
  readonly turnedAway: ServerError | null;
  /**
   * Why something does not go as it should, by name: of `closed`, `refusal`, `turnedAway`, a link that is down and a change that
   * has to wait, the gravest one. null while all is well, and after `disconnect()`.
   */
  readonly trouble: Trouble | null;
  /**
   * The session is over: deleted, not found, forbidden, not signed in … After `epoch_changed` the local content is among
   * `separateCopies`, and a new provider with a new Y.Doc takes the document as it is now. After `other_format` the page is
   * older than the document: load it anew, and what was not sent is sent then.
   */
  readonly closed: ServerError | null;
  /** Whether changes that are not saved are kept on this device; `writing`: some of them in a moment. */
  readonly offlineCopy: "ok" | "writing" | "unavailable" | "off";
  /** The server holds the document read-only because its stored state cannot be worked with. */
  readonly quarantined: boolean;
  /** How many changes the server keeps out of the document, because its document engine does not take them. */
  readonly setAside: number;
  /** How often the server has told this owner that others have access now, or ask for it. */
  readonly accessChanges: number;
  /** The version of the document's discussion: read `threads?since=` the one that you have when it differs. 0 before the first thread. */
  readonly discussion: number;
  /** How often the server has told that this person's inbox has changed. */
  readonly inboxChanges: number;
  /** Names of copies of the document's earlier lives, kept apart after a restore from a backup. */
  readonly separateCopies: readonly string[];
  /**
   * How often `doc` has changed without telling: because somebody threw in the middle of its events, or because words went on under another
   * client id. The provider has set that right; an editor or an undo manager may have missed it. Make new ones when this grows.
   */
  readonly mended: number;
  /** When the server last confirmed a local change, in milliseconds since 1970. */
  readonly lastSavedAt: number | null;
}

/** The state of the connection in the words of y-websocket and Hocuspocus. */
export type ConnectionStatus = "connecting" | "connected" | "disconnected";

/**
 * Suggests anew what the server has refused, because somebody else has changed the same. It calls `begin` once, at once: then the
 * document is the server's, without anything that was refused. False, without a call: not now.
 */
export type SuggestAnew = (begin: () => void) => boolean;

/** What a page needs of one document that is kept in step with the server; `ManyhandsProvider` is it, and tells events besides. */
export interface Provider {
  readonly documentId: string;
  readonly doc: Y.Doc;
  /** Who is here; fits Tiptap's CollaborationCaret and every other consumer of y-protocols. */
  readonly awareness: Awareness;
  /** The state now: the same object until something changes, as React's useSyncExternalStore asks. */
  readonly snapshot: () => ProviderState;
  /** Call `listener` after each change of the state; returns the way to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Tell the server and the other people who this is. */
  setUser(user: LocalUser): void;
  /** Connect now instead of after the pause that is under way. */
  reconnectNow(): void;
  /** The whole local document, unacknowledged and refused changes included, as one Yjs v1 update. */
  copy(): Uint8Array;
  /** Drop the local copy, refused changes included. This provider is destroyed: make a new one with a new Y.Doc. */
  discardAndReload(): Promise<void>;
  /** One of `ProviderState.separateCopies` as one Yjs v1 update. */
  readSeparateCopy(name: string): Promise<Uint8Array>;
  deleteSeparateCopy(name: string): Promise<void>;
  /**
   * Name who suggests anew what was refused of a person who may only suggest; null for nobody. What was refused before is tried
   * again. Without anybody, refused suggestions are a `refusal` that stays.
   */
  leaveMendingTo(suggestAnew: SuggestAnew | null): void;
  /** Ask before the page is left while changes are not durable; returns the way to stop that. */
  guardLeaving(page: Pick<Window, "addEventListener" | "removeEventListener">): () => void;
  /** Leave the document; `doc` stays usable. */
  destroy(): Promise<void>;
}
