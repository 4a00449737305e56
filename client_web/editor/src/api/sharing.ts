/** Who may do what with a document, and the calls that change it. */
import { toPerson } from "./me";
import { badAnswer, type Call, isRecord } from "./rest";
import type * as wire from "./wire";

export type Role = wire.Role;

/** Roles that can be given; the owner's is handed over. */
export type GivenRole = Exclude<Role, "owner">;

/** `via`: whether the role was given to this person, or came with the link. */
export type SharedPerson = wire.Person;

export interface LinkAccess {
  /** What whoever holds the link may do; null: nobody comes in by it. */
  readonly role: GivenRole | null;
  /** The document's address is the link: there is no secret in it. */
  readonly addressAlone: boolean;
  /** Known to the owner only, and not always to them. */
  readonly url: string | null;
  /** The link is closed, and will be the same one when it is opened again. */
  readonly reopens: boolean;
}

export interface Sharing {
  readonly people: readonly SharedPerson[];
  readonly link: LinkAccess;
}

/** Somebody who is asked in: an e-mail address, or the id that the application around this one knows them by. */
export type Invitee = { readonly email: string } | { readonly userId: string };

export interface LinkChange {
  readonly role: GivenRole | null;
  /** Make a new link: whoever came by an older one is let go. */
  readonly renew?: boolean;
  /** Let the document's bare address be the link. */
  readonly addressAlone?: boolean;
}

/** Somebody without access who asks for it. */
export interface AccessRequest {
  readonly user: wire.User;
  readonly email: string | null;
  readonly askedAt: Date;
}

export interface SharingCalls {
  /** The answer tells nobody whether there is such a document. */
  readonly askForAccess: (id: string) => Promise<void>;
  /** Who asks for access; owners only. */
  readonly getRequests: (id: string) => Promise<readonly AccessRequest[]>;
  readonly refuseRequest: (id: string, userId: string) => Promise<void>;
  readonly getSharing: (id: string) => Promise<Sharing>;
  readonly invite: (id: string, invitee: Invitee, role: GivenRole) => Promise<void>;
  /** The role "owner" hands the document over; who owned it before is an editor then. */
  readonly giveRole: (id: string, userId: string, role: Role) => Promise<void>;
  readonly removePerson: (id: string, userId: string) => Promise<void>;
  readonly changeLink: (id: string, change: LinkChange) => Promise<LinkAccess>;
  /** Whether editors that do not know the document's format may write it; open pages are told. */
  readonly allowAnyFormat: (id: string, allowed: boolean) => Promise<void>;
}

export function sharingCalls(call: Call): SharingCalls {
  const people = (id: string, ...rest: readonly string[]) =>
    ["/api/documents", encodeURIComponent(id), "people", ...rest.map(encodeURIComponent)].join("/");
  const requests = (id: string) => `/api/documents/${encodeURIComponent(id)}/requests`;
  return {
    askForAccess: async (id) => {
      await call("/api/access-requests", { method: "POST", body: { document_id: id } satisfies wire.Wish });
    },
    getRequests: async (id) => toRequests(await call(requests(id))),
    refuseRequest: async (id, userId) => {
      await call(`${requests(id)}/${encodeURIComponent(userId)}`, { method: "DELETE" });
    },
    getSharing: async (id) => toSharing(await call(people(id))),
    invite: async (id, invitee, role) => {
      const who = "email" in invitee ? { email: invitee.email } : { user_id: invitee.userId };
      await call(people(id), { method: "POST", body: { ...who, role } satisfies wire.Invitation });
    },
    giveRole: async (id, userId, role) => {
      await call(people(id, userId), { method: "PUT", body: { role } satisfies wire.RoleChange });
    },
    removePerson: async (id, userId) => {
      await call(people(id, userId), { method: "DELETE" });
    },
    changeLink: async (id, { role, renew, addressAlone }) => {
      const body: wire.LinkChange = {
        role,
        ...(renew ? { renew, address_alone: false } : {}),
        ...(addressAlone ? { address_alone: true } : {}),
      };
      return toLink(await call(`/api/documents/${encodeURIComponent(id)}/link`, { method: "PUT", body }));
    },
    allowAnyFormat: async (id, allowed) => {
      const body: wire.FormatChange = { any_format: allowed };
      await call(`/api/documents/${encodeURIComponent(id)}/format`, { method: "PUT", body });
    },
  };
}

export function isRole(value: unknown): value is Role {
  return value === "owner" || isGivenRole(value);
}

function isGivenRole(value: unknown): value is GivenRole {
  return value === "editor" || value === "commenter" || value === "viewer";
}

function toSharing(answer: unknown): Sharing {
  if (!isRecord<wire.People>(answer) || !Array.isArray(answer.people)) throw badAnswer(200);
  return { people: answer.people.map(toSharedPerson), link: toLink(answer.link) };
}

function toSharedPerson(answer: unknown): SharedPerson {
  const user = isRecord<wire.Person>(answer) ? toPerson(answer.user) : null;
  if (!isRecord<wire.Person>(answer) || user === null || !isRole(answer.role)) throw badAnswer(200);
  return {
    user,
    email: typeof answer.email === "string" ? answer.email : null,
    role: answer.role,
    via: answer.via === "link" ? "link" : "grant",
  };
}

function toRequests(answer: unknown): readonly AccessRequest[] {
  if (!isRecord<wire.AccessRequests>(answer) || !Array.isArray(answer.requests)) throw badAnswer(200);
  return answer.requests.map((each: unknown) => {
    const user = isRecord<wire.AccessRequest>(each) ? toPerson(each.user) : null;
    if (!isRecord<wire.AccessRequest>(each) || user === null) throw badAnswer(200);
    return {
      user,
      email: typeof each.email === "string" ? each.email : null,
      askedAt: new Date(String(each.asked_at)),
    };
  });
}

function toLink(answer: unknown): LinkAccess {
  if (!isRecord<wire.Link>(answer)) throw badAnswer(200);
  return {
    role: isGivenRole(answer.role) ? answer.role : null,
    addressAlone: answer.address_alone === true,
    url: typeof answer.url === "string" ? answer.url : null,
    reopens: answer.reopens === true,
  };
}
