/** The REST side of a server in memory: what the documents page's stories are told to, through an injected fetch. */
import { type Api, createApi } from "../../src/api/api";

interface Stored {
  readonly id: string;
  title: string;
  readonly created_at: string;
  updated_at: string;
  trashed_at: string | null;
  readonly size: number;
  starred: boolean;
  opened_at: string | null;
  labels: readonly string[];
  role?: string;
  owner?: { readonly id: string; readonly name: string; readonly color: string };
}

interface Body {
  readonly title?: string;
  readonly starred?: boolean;
  readonly labels?: readonly string[];
}

type Answer = readonly [status: number, body: unknown];

const START = Date.UTC(2026, 0, 5, 9);
const MINUTE_MS = 60_000;

export class CatalogueServer {
  /** Every request as "METHOD /path?query", oldest first. */
  readonly requests: string[] = [];
  /** While false, no request gets an answer. */
  reachable = true;
  /** While set, changes are made only after it. */
  slowly: Promise<void> | null = null;
  /** While set, every request is refused with it. */
  refusal: Answer | null = null;
  /** While set, something in the network gives this page as the answer to every request. */
  impostor: string | null = null;
  private readonly documents = new Map<string, Stored>();
  private minutes = 0;

  readonly api: Api = createApi((url, init) => this.fetch(url, init));

  /** Makes documents, each edited a minute after the one before. */
  with(...titles: readonly string[]): this {
    for (const title of titles) this.create(title);
    return this;
  }

  titles(trashed = false): readonly string[] {
    return this.list(trashed, "").map((document) => document.title);
  }

  trash(title: string): this {
    const document = this.list(false, title)[0];
    if (document) document.trashed_at = this.tick();
    return this;
  }

  /** Somebody else's document, in which this person has a role. */
  sharing(title: string, role: string, owner = "Bob"): this {
    Object.assign(this.create(title), { role, owner: { id: owner, name: owner, color: "#0369a1" } });
    return this;
  }

  /** Which of the documents with this title has which labels. */
  labelled(title: string, ...labels: readonly string[]): this {
    const document = this.list(false, title)[0];
    if (document) document.labels = labels;
    return this;
  }

  starred(title: string): this {
    const document = this.list(false, title)[0];
    if (document) document.starred = true;
    return this;
  }

  opened(title: string): this {
    const document = this.list(false, title)[0];
    if (document) document.opened_at = this.tick();
    return this;
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const method = init.method ?? "GET";
    this.requests.push(`${method} ${url}`);
    if (!this.reachable) throw new TypeError("Failed to fetch");
    if (this.impostor !== null) return new Response(this.impostor, { status: 200 });
    if (method !== "GET") await this.slowly;
    const body = init.body === undefined ? {} : JSON.parse(String(init.body));
    const [status, answer] = this.refusal ?? this.answer(method, new URL(url, "http://server"), body);
    return new Response(status === 204 ? null : JSON.stringify(answer), { status });
  }

  private answer(method: string, url: URL, body: Body): Answer {
    const [, , kind, id, verb] = url.pathname.split("/");
    if (kind === "labels")
      return [200, { labels: [...new Set([...this.documents.values()].flatMap(({ labels }) => labels))] }];
    if (verb === "people" && method === "GET") {
      return [
        200,
        { people: [], link: { role: "viewer", address_alone: false, url: `/d/${id}#link=secret` } },
      ];
    }
    if (verb === "people") return [this.documents.delete(id ?? "") ? 204 : 404, null];
    if (id === undefined) {
      return method === "POST" ? [201, this.create(body.title ?? "")] : [200, this.page(url.searchParams)];
    }
    const document = this.documents.get(id);
    if (!document) return [404, { error: { code: "not_found", message: "There is no such document." } }];
    if (verb === "trash") document.trashed_at = this.tick();
    if (verb === "star") document.starred = body.starred ?? false;
    if (verb === "labels") document.labels = body.labels ?? [];
    if (verb === "restore") document.trashed_at = null;
    if (method === "PATCH") Object.assign(document, { title: body.title, updated_at: this.tick() });
    if (method !== "DELETE") return [200, document];
    this.documents.delete(id);
    return [204, null];
  }

  private page(query: URLSearchParams): unknown {
    const shared = query.get("shared");
    const found = this.list(query.get("trashed") === "true", query.get("query") ?? "").filter(
      ({ owner, starred, labels }) =>
        (shared === null || (owner !== undefined) === (shared === "true")) &&
        (query.get("starred") !== "true" || starred) &&
        (!query.has("label") || labels.includes(query.get("label") ?? "")),
    );
    if (query.get("sort") === "title") found.sort((one, other) => one.title.localeCompare(other.title));
    if (query.get("sort") === "opened")
      found.sort((one, other) => (other.opened_at ?? "").localeCompare(one.opened_at ?? ""));
    const from = Number(query.get("cursor") ?? 0);
    const to = from + Number(query.get("limit"));
    return { documents: found.slice(from, to), cursor: to < found.length ? String(to) : null };
  }

  private list(trashed: boolean, query: string): Stored[] {
    return [...this.documents.values()]
      .filter((document) => (document.trashed_at !== null) === trashed)
      .filter((document) => document.title.toLowerCase().includes(query.toLowerCase()))
      .sort((one, other) => other.updated_at.localeCompare(one.updated_at));
  }

  private create(title: string): Stored {
    const id = `document-${this.documents.size + 1}`;
    const now = this.tick();
    const document = {
      id,
      title,
      created_at: now,
      updated_at: now,
      trashed_at: null,
      size: 0,
      starred: false,
      opened_at: null,
      labels: [],
    };
    this.documents.set(id, document);
    return document;
  }

  private tick(): string {
    this.minutes += 1;
    return new Date(START + this.minutes * MINUTE_MS).toISOString();
  }
}
