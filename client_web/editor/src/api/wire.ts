/** The REST API's JSON. `manyhands openapi --types` writes this file: change the server instead. */

/** A document that is to be made. */
export interface NewDocument {
  readonly title?: string;
}

/** Another title. */
export interface Title {
  readonly title: string;
}

/** Somebody who is given a role: either by their e-mail address, or by their user id. */
export interface Invitation {
  readonly role: "commenter" | "editor" | "viewer";
  readonly email?: string;
  readonly user_id?: string;
}

/** Another role for somebody. */
export interface RoleChange {
  readonly role: Role;
}

/** A person's role in a document. Each role includes the ones after it. */
export type Role = "commenter" | "editor" | "owner" | "viewer";

/** What the link is to do. `renew` makes a new one: whoever came by an older one is let go. */
export interface LinkChange {
  readonly role: "commenter" | "editor" | "viewer" | null;
  readonly renew?: boolean | null;
  readonly address_alone?: boolean | null;
}

/** How a guest wants to be shown to others. */
export interface Look {
  readonly name?: string;
  readonly color?: string;
}

/** A token that another application has signed. */
export interface Token {
  readonly token: string;
}

/** A document's entry, as one person sees it. `trashed_at` is null unless the document is in the trash, `size` counts the bytes of log and snapshot, `role` is that of the person who asks. */
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly trashed_at: string | null;
  readonly size: number;
  readonly role: Role;
  readonly owner: User | null;
}

/** A person, as the server vouches for them. `color` is `#rrggbb`. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** A page of the list. `cursor` is null on the last one. */
export interface Documents {
  readonly documents: readonly Document[];
  readonly cursor: string | null;
}

/** A picture that is kept. `sha256` is of its content; `size` is in bytes, `width` and `height` in pixels. */
export interface Attachment {
  readonly url: string;
  readonly sha256: string;
  readonly media_type: string;
  readonly size: number;
  readonly width: number;
  readonly height: number;
}

/** Everybody with access, the owner first, and the link. */
export interface People {
  readonly people: readonly Person[];
  readonly link: Link;
}

/** Somebody with access. The user id of somebody who has not signed in yet is `email:` and the address they were invited by. */
export interface Person {
  readonly user: User;
  readonly email: string | null;
  readonly role: Role;
  readonly via: "grant" | "link";
}

/** The link: with `role` null it opens nothing. `url` is an address on this server, shown to owners. It is null when its token cannot be derived any more: renew the link then. */
export interface Link {
  readonly role: "commenter" | "editor" | "viewer" | null;
  readonly address_alone: boolean;
  readonly url: string | null;
}

/** A role that somebody has now. */
export interface Grant {
  readonly user_id: string;
  readonly role: Role;
}

/** A document's record, the last deed first. */
export interface Deeds {
  readonly audit: readonly Deed[];
}

/** One line of a document's record. */
export interface Deed {
  readonly at: string;
  readonly actor_id: string;
  readonly action: string;
  readonly details: Readonly<Record<string, string>>;
}

/** The person who asks, and how the server knows them. `expires_at` is null when that lasts. */
export interface Me {
  readonly user: User;
  readonly kind: "guest" | "jwt" | "oidc";
  readonly email: string | null;
  readonly may_rename: boolean;
  readonly may_create: boolean;
  readonly expires_at: string | null;
}

/** The process lives. */
export interface Healthy {
  readonly status: "ok";
  readonly version: string;
}

/** The process can do its work. */
export interface Ready {
  readonly status: "ready";
}

/** The process cannot do its work now, and why. */
export interface NotReady {
  readonly status: "unavailable";
  readonly reason: string;
}

/** An answer with a status from 400 on. `sign_in` comes with 401, where there is a page to sign in. */
export interface Error {
  readonly error: Refusal;
  readonly sign_in?: string;
}

/** Why something is refused: a code for programs, and a sentence for people. */
export interface Refusal {
  readonly code: Code;
  readonly message: string;
}

/** The reason of a refusal, in a word that programs may rely on. */
export type Code = "bad_update" | "client_id_taken" | "deleted" | "document_full" | "draining" | "epoch_changed" | "forbidden" | "internal" | "malformed" | "missing_past" | "not_found" | "not_joined" | "quarantined" | "rate_limited" | "too_costly" | "too_large" | "too_many" | "unauthenticated" | "unavailable" | "unknown_event" | "unsupported_content";
