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

/** A text for the pages and programs that have a document open. Nobody keeps it. */
export interface Broadcast {
  readonly payload: string;
}

/** A change of who may write the rich text of a document that has a format. */
export interface FormatChange {
  readonly any_format: boolean;
}

/** Edits to make one after the other, all or none. An edit is made if the blocks that it changes are unchanged since `base_revision`, and the block that it stands beside is still there. What others have written elsewhere does not matter. */
export interface Edits {
  readonly edits: readonly (Append | Insert | ReplaceText | ReplaceBlocks | DeleteBlocks | AnchorComment)[];
  readonly base_revision?: string | null;
  readonly suggest?: boolean;
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

/** The anchor of a thread of comments, which is made by itself. The words stay as they are. The words to find are as in `replace_text`. */
export interface AnchorComment {
  readonly do: "comment";
  readonly block: string;
  readonly find: string;
  readonly thread: string;
  readonly occurrence?: number;
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

/** A thread to begin. A thread of kind `suggestion` names its suggestion. */
export interface NewThread {
  readonly comment: FirstComment;
  readonly kind?: "comment" | "suggestion";
  readonly suggestion?: string | null;
  readonly quote?: string;
  readonly before?: string;
  readonly after?: string;
  readonly assignee?: string | null;
}

/** The comment with which a thread begins. */
export interface FirstComment {
  readonly id: string;
  readonly body: readonly Paragraph[];
}

/** A paragraph of a comment. */
export interface Paragraph {
  readonly type: "paragraph";
  readonly content?: readonly (Words | Mention)[];
}

/** Words that have the same formats. */
export interface Words {
  readonly type: "text";
  readonly text: string;
  readonly marks?: readonly (Bold | Italic | Monospace | Linked)[];
}

/** Bold words. */
export interface Bold {
  readonly type: "bold";
}

/** Italic words. */
export interface Italic {
  readonly type: "italic";
}

/** Code among words. */
export interface Monospace {
  readonly type: "code";
}

/** A link. */
export interface Linked {
  readonly type: "link";
  readonly attrs: Href;
}

/** The place that a link leads to. */
export interface Href {
  readonly href: string;
}

/** A mention of a person, who is told of it. */
export interface Mention {
  readonly type: "mention";
  readonly attrs: Mentioned;
}

/** The person whom a mention names. The server fills in `label`, which is their name. */
export interface Mentioned {
  readonly id: string;
  readonly label?: string;
}

/** A change of a thread. What is absent stays. A quote comes with `before` and `after`. */
export interface ThreadChange {
  readonly state?: "open" | "resolved";
  readonly assignee?: string | null;
  readonly quote?: string;
  readonly before?: string;
  readonly after?: string;
}

/** What a comment says. */
export interface CommentText {
  readonly body: readonly Paragraph[];
}

/** The rule of who may read the discussion. */
export interface DiscussionRule {
  readonly viewers: boolean;
}

/** What became of a suggestion. */
export interface Outcome {
  readonly outcome: "accepted" | "rejected";
  readonly author: string;
}

/** A change of the inbox: which entries to mark as read; whether and how to send mail. `ids` names entries. `thread` stands for all entries about one thread of `document_id`. `until` stands for an entry and all older ones. */
export interface InboxChange {
  readonly ids?: readonly string[];
  readonly until?: string;
  readonly document_id?: string;
  readonly thread?: string;
  readonly mail?: boolean;
  readonly language?: string;
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

/** Threads that have changed since a version, in the order of their last change. `version` is what to ask from the next time. With `more`, ask at once, because the answer ends there. With `whole`, the answer begins anew: threads from earlier answers that are not in it are gone. Otherwise `gone` names those that were deleted. `viewers` says whether viewers may read the discussion. */
export interface Threads {
  readonly version: number;
  readonly threads: readonly Thread[];
  readonly gone: readonly string[];
  readonly whole: boolean;
  readonly more: boolean;
  readonly viewers: boolean;
}

/** A thread: a place in the text, or a suggestion, and what was said about it. `comments` begin with the first one. The mark `comment` with the thread's id is the place. `quote` is the words that were marked, with the words `before` and `after`, for when the mark is gone. `version` is the version of the discussion at the thread's last change. `changed_by` and `changed_at` say who resolved or reopened the thread last. They are null if nobody did. */
export interface Thread {
  readonly id: string;
  readonly kind: "comment" | "suggestion";
  readonly suggestion: string | null;
  readonly quote: string;
  readonly before: string;
  readonly after: string;
  readonly state: "open" | "resolved";
  readonly by: Author;
  readonly at: string;
  readonly changed_by: Author | null;
  readonly changed_at: string | null;
  readonly assignee: User | null;
  readonly comments: readonly Comment[];
  readonly version: number;
}

/** A person or program, by the name that they had then. `kind` is person or agent. */
export interface Author {
  readonly user_id: string;
  readonly name: string;
  readonly kind: string;
}

/** A comment. `edited_at` is null if nobody edited it. Of a deleted comment, `body` and `reactions` are empty. */
export interface Comment {
  readonly id: string;
  readonly by: Author;
  readonly at: string;
  readonly edited_at: string | null;
  readonly body: readonly Paragraph[];
  readonly reactions: readonly Reaction[];
  readonly deleted: boolean;
}

/** An emoji beside a comment, and who put it there, the first one first. */
export interface Reaction {
  readonly emoji: string;
  readonly people: readonly Author[];
}

/** People whom a comment may mention, by name. There are at most 20. */
export interface Mentionable {
  readonly people: readonly User[];
}

/** Somebody whose id stands in a document; `person` is null if nobody is known by the id. */
export interface KnownAuthor {
  readonly person: User | null;
}

/** A page of the inbox: what is unread first, then by time, the newest first. `cursor` is null on the last page. `unread` counts everything that is unread, on any page. `mail` says whether this person gets what stays unread by e-mail. It is null if the server sends none, or knows no address. */
export interface Inbox {
  readonly entries: readonly InboxEntry[];
  readonly unread: number;
  readonly cursor: string | null;
  readonly mail: boolean | null;
}

/** One thing that concerns a person, and where it happened. `comment` and `excerpt` are of the comment that it is about: its id, and how it begins. `thread`, `comment` and `suggestion` are null where there is none. */
export interface InboxEntry {
  readonly id: string;
  readonly reason: "assigned" | "mention" | "reply" | "resolved" | "shared" | "suggestion_accepted" | "suggestion_rejected";
  readonly by: Author;
  readonly at: string;
  readonly read: boolean;
  readonly document_id: string;
  readonly title: string;
  readonly thread: string | null;
  readonly comment: string | null;
  readonly suggestion: string | null;
  readonly excerpt: string;
}

/** The number of unread entries in the inbox. `language` is the one in which this person gets mail: empty while nobody has said. It is null if the server sends no mail, or knows no address. */
export interface Unread {
  readonly unread: number;
  readonly language: string | null;
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
export type Code = "bad_update" | "client_id_taken" | "conflict" | "deleted" | "document_full" | "draining" | "epoch_changed" | "forbidden" | "internal" | "malformed" | "missing_past" | "not_a_suggestion" | "not_found" | "not_joined" | "other_format" | "quarantined" | "rate_limited" | "too_costly" | "too_large" | "too_many" | "unauthenticated" | "unavailable" | "unknown_event" | "unsupported_content" | "wrong_host" | "wrong_origin";

/** A block as it is now. `block` is null if it is not there any more. */
export interface BlockNow {
  readonly id: string;
  readonly block: unknown;
}
