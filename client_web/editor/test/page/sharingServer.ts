/** The sharing side of a server in memory: people and a link of one document. */
import type { Request } from "./openDocument";

interface Shared {
  readonly user: { readonly id: string; readonly name: string; readonly color: string };
  readonly email: string | null;
  role: string;
  readonly via: string;
}

interface LinkWish {
  readonly role: string | null;
  readonly renew?: boolean;
  readonly address_alone?: boolean;
}

export function shared(id: string, role: string, via = "grant", name = id): Shared {
  return { user: { id, name, color: "#0369a1" }, email: null, role, via };
}

export class SharingServer {
  people: Shared[];
  link: { role: string | null; address_alone: boolean; url: string | null; reopens: boolean } = {
    role: "editor",
    address_alone: true,
    url: "/d/abcdefgh",
    reopens: false,
  };
  anyFormat = false;
  /** While set, changes are refused with it. */
  refusal: Response | null = null;

  constructor(...people: readonly Shared[]) {
    this.people = [...people];
  }

  readonly answer = ({ method, path, body }: Request): Response => {
    if (method !== "GET" && this.refusal) return this.refusal.clone();
    const [, , , , kind, userId] = path.split("/").map(decodeURIComponent);
    const change = (body ?? {}) as { email?: string; user_id?: string; role: string };
    if (kind === "link") return json(this.changeLink(body as LinkWish));
    if (kind === "format") {
      this.anyFormat = (body as { any_format: boolean }).any_format;
      return json({});
    }
    if (method === "POST") this.people.push(shared(change.user_id ?? `email:${change.email}`, change.role));
    if (method === "PUT") this.give(userId ?? "", change.role);
    if (method === "DELETE") this.people = this.people.filter(({ user }) => user.id !== userId);
    return method === "DELETE"
      ? new Response(null, { status: 204 })
      : json({ people: this.people, link: this.link });
  };

  roles(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.people.map(({ user, role }) => [user.id, role]));
  }

  private give(userId: string, role: string): void {
    for (const person of this.people) {
      if (role === "owner" && person.role === "owner") person.role = "editor";
      if (person.user.id === userId) person.role = role;
    }
  }

  /** As the server does: what was closed as an address opens under a new link; a link stays what it is. */
  private changeLink(wish: LinkWish) {
    const {
      role,
      renew = false,
      address_alone = this.link.role !== null && this.link.address_alone && !renew,
    } = wish;
    if (role === null)
      this.link = { ...this.link, role, url: "/d/abcdefgh", reopens: !this.link.address_alone };
    else if (address_alone) this.link = { role, address_alone, url: "/d/abcdefgh", reopens: false };
    else this.link = { role, address_alone, url: "/d/abcdefgh#link=0123456789abcdefghijkl", reopens: false };
    return this.link;
  }
}

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { status: 200 });
}
