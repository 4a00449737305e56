/** The REST API's JSON. `manyhands openapi --types` writes this file: change the server instead. */

/** The document to make. */
export interface NewDocument {
  readonly title?: string;
  readonly content?: string | readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>;
  readonly as?: "html" | "json" | "markdown";
  readonly secret?: string;
}

/** A star, which is this person's own: nobody else sees it. */
export interface Star {
  readonly starred: boolean;
}

/** The document's labels. Everybody who may read the document sees them. */
export interface LabelsChange {
  readonly labels: readonly string[];
}

/** The new title. If it is empty, the document is called by its first line again. */
export interface Title {
  readonly title: string;
}

/** A change of who may write the rich text of a document that has a format. */
export interface FormatChange {
  readonly any_format: boolean;
}

/** Edits to make one after the other, all or none. An edit is made if the blocks that it changes are unchanged since `base_revision`, and the block that it stands beside is still there. What others have written elsewhere does not matter. */
export interface Edits {
  readonly edits: readonly (Append | Insert | ReplaceText | ReplaceBlocks | DeleteBlocks)[];
  readonly base_revision?: string | null;
}

/** Content behind everything else. */
export interface Append {
  readonly do: "append";
  readonly content: string | readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>;
  readonly as?: "html" | "json" | "markdown";
}

/** Content before or after a block. Name one of the two. */
export interface Insert {
  readonly do: "insert";
  readonly content: string | readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>;
  readonly as?: "html" | "json" | "markdown";
  readonly before?: string | null;
  readonly after?: string | null;
}

/** Words in the place of words of one block. They get the marks of the first letter replaced. The words to find stand within one line, and have no line end. Without `occurrence` they must stand in the block once. */
export interface ReplaceText {
  readonly do: "replace_text";
  readonly block: string;
  readonly find: string;
  readonly with: string;
  readonly occurrence?: number;
}

/** Content in the place of blocks. It stands where the first of them stood. */
export interface ReplaceBlocks {
  readonly do: "replace";
  readonly content: string | readonly Readonly<Record<string, unknown>>[] | Readonly<Record<string, unknown>>;
  readonly as?: "html" | "json" | "markdown";
  readonly blocks: readonly string[];
}

/** Blocks to delete. */
export interface DeleteBlocks {
  readonly do: "delete";
  readonly blocks: readonly string[];
}

/** The document that has a picture already. */
export interface PictureSource {
  readonly document_id: string;
}

/** A role for somebody, who is named either by their e-mail address or by their user id. */
export interface Invitation {
  readonly role: "commenter" | "editor" | "viewer";
  readonly email?: string;
  readonly user_id?: string;
}

/** The new role of somebody. */
export interface RoleChange {
  readonly role: Role;
}

/** A person's role in a document. Each role includes the ones after it. */
export type Role = "commenter" | "editor" | "owner" | "viewer";

/** The document to which somebody asks for access. */
export interface Wish {
  readonly document_id: string;
}

/** A change of the link. `renew` makes a new link. People who have access only by an older link lose their access. */
export interface LinkChange {
  readonly role: "commenter" | "editor" | "viewer" | null;
  readonly renew?: boolean | null;
  readonly address_alone?: boolean | null;
}

/** The name and the colour by which a guest wants to be shown. */
export interface Look {
  readonly name?: string;
  readonly color?: string;
}

/** A token that another application has signed. */
export interface Token {
  readonly token: string;
}

/** A document's entry, as one person sees it. `title` is the first line of the text while nobody has given a title. `preview` is the line after the one that is the title, or the first line; it is empty if there is none. `trashed_at` is null unless the document is in the trash. `size` is the bytes of the log and the snapshot. `role` is the role of the person who asks. `format` is the format of the rich text. It is null until a writer has declared one. With `any_format`, programs of other formats may write. `edited_by` is null if the last change was a new title, or nobody is known to have made it. `starred` and `opened_at` are this person's own. `labels` are the document's. `requests` is how many people ask for access, as far as the person who asks may share the document. */
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly trashed_at: string | null;
  readonly size: number;
  readonly role: Role;
  readonly owner: User | null;
  readonly format: Format | null;
  readonly any_format: boolean;
  readonly preview: string;
  readonly edited_by: Editor | null;
  readonly starred: boolean;
  readonly opened_at: string | null;
  readonly labels: readonly string[];
  readonly requests: number;
}

/** A person, as the server vouches for them. `color` is `#rrggbb`. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** A format of rich text: which nodes, marks and attributes it may hold. Each version knows everything that the versions of the same name before it know. */
export interface Format {
  readonly name: string;
  readonly version: number;
}

/** The person whose edit was the last one, by the name that they had then. */
export interface Editor {
  readonly id: string;
  readonly name: string;
}

/** A page of the list. `cursor` is null on the last page. */
export interface Documents {
  readonly documents: readonly Document[];
  readonly cursor: string | null;
}

/** The labels in a person's list, in alphabetical order. */
export interface Labels {
  readonly labels: readonly string[];
}

/** The document's revision with the edits, which are durable. `blocks` are the ids of the new blocks, in the order in which they were made. `lost` names what the content held and a document cannot hold. */
export interface Edited {
  readonly revision: string;
  readonly blocks: readonly string[];
  readonly lost: readonly string[];
}

/** A stored picture. `sha256` is the hash of its content. `size` is in bytes, `width` and `height` are in pixels. */
export interface Attachment {
  readonly url: string;
  readonly sha256: string;
  readonly media_type: string;
  readonly size: number;
  readonly width: number;
  readonly height: number;
}

/** Everybody who has access, the owner first, and the link. */
export interface People {
  readonly people: readonly Person[];
  readonly link: Link;
}

/** Somebody with access. Until an invited person signs in, their user id is `email:` and the address of the invitation. */
export interface Person {
  readonly user: User;
  readonly email: string | null;
  readonly role: Role;
  readonly via: "grant" | "link";
}

/** The link. With `role` null the link opens nothing. `url` is an address on this server, which only owners are shown. It is null if the link's token cannot be derived any more. Renew the link then. `reopens` is true while the link is closed and will be the same one when a role is set again. Otherwise setting a role makes a new link, and an address that opened the document before stays closed. */
export interface Link {
  readonly role: "commenter" | "editor" | "viewer" | null;
  readonly address_alone: boolean;
  readonly url: string | null;
  readonly reopens: boolean;
}

/** The role that somebody has now. */
export interface Grant {
  readonly user_id: string;
  readonly role: Role;
}

/** Everybody who asks for access, the first one first. */
export interface AccessRequests {
  readonly requests: readonly AccessRequest[];
}

/** Somebody who asks for access. Give them a role, or refuse them. */
export interface AccessRequest {
  readonly user: User;
  readonly email: string | null;
  readonly asked_at: string;
}

/** A page of a document's record, the last deed first. `cursor` is null on the last page. */
export interface Deeds {
  readonly audit: readonly Deed[];
  readonly cursor: string | null;
}

/** One line of a document's record. */
export interface Deed {
  readonly at: string;
  readonly actor_id: string;
  readonly action: string;
  readonly details: Readonly<Record<string, string>>;
}

/** The person who asks, and how the server knows them. `expires_at` is null if that does not end at a fixed time. */
export interface Me {
  readonly user: User;
  readonly kind: "guest" | "jwt" | "oidc" | "service";
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

/** The process cannot do its work now, for this reason. */
export interface NotReady {
  readonly status: "unavailable";
  readonly reason: string;
}

/** An answer with a status from 400 on. `sign_in` comes with 401, if there is a sign-in page. `revision` and `blocks` come with `conflict`: the revision, and the blocks of it that stood in the way. */
export interface Error {
  readonly error: Refusal;
  readonly sign_in?: string;
  readonly revision?: string;
  readonly blocks?: readonly BlockNow[];
}

/** The reason of a refusal: a code for programs, and a sentence for people. */
export interface Refusal {
  readonly code: Code;
  readonly message: string;
}

/** The reason of a refusal, in a word that programs may rely on. */
export type Code = "bad_update" | "client_id_taken" | "conflict" | "deleted" | "document_full" | "draining" | "epoch_changed" | "forbidden" | "internal" | "malformed" | "missing_past" | "not_found" | "not_joined" | "other_format" | "quarantined" | "rate_limited" | "too_costly" | "too_large" | "too_many" | "unauthenticated" | "unavailable" | "unknown_event" | "unsupported_content" | "wrong_host" | "wrong_origin";

/** A block as it is now. `block` is null if it is not there any more. */
export interface BlockNow {
  readonly id: string;
  readonly block: unknown;
}
