/** A person at the page of a document whose provider is in memory: the test says what the server says. */

import type { LocalUser, Provider, ProviderState } from "@manyhands/provider";
import { act, render } from "@testing-library/react";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { ApiContext } from "../../src/api/ApiContext";
import { createApi } from "../../src/api/api";
import type { Me } from "../../src/api/me";
import { createWhoAmI, NOBODY, type WhoAmI, WhoContext } from "../../src/api/whoAmI";
import { EditorPage } from "../../src/page/EditorPage";
import { OpenContext, type Opening } from "../../src/page/useProvider";
import { ToastProvider } from "../../src/ui/Toast";
import { TooltipProvider } from "../../src/ui/Tooltip";
import { createTheme, ThemeContext } from "../../src/ui/theme";

export const SAVED: ProviderState = {
  status: "synced",
  unsaved: 0,
  durability: "ok",
  role: "editor",
  canSuggest: true,
  loaded: true,
  progress: null,
  document: { title: "Minutes", trashedAt: null },
  refusal: null,
  readOnly: null,
  turnedAway: null,
  trouble: null,
  closed: null,
  offlineCopy: "ok",
  quarantined: false,
  setAside: 0,
  discussion: 0,
  inboxChanges: 0,
  accessChanges: 0,
  separateCopies: [],
  mended: 0,
  lastSavedAt: null,
};

export class MemoryProvider implements Provider {
  readonly documentId: string;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  user: LocalUser;
  readonly link: string | null;
  reconnects = 0;
  discards = 0;
  #state: ProviderState;
  readonly #listeners = new Set<() => void>();

  constructor({ documentId, user, link, doc = new Y.Doc() }: Opening, state: ProviderState) {
    this.documentId = documentId;
    this.doc = doc;
    this.user = user;
    this.link = link ?? null;
    this.awareness = new Awareness(doc);
    this.#state = state;
  }

  /** The server, or the connection to it, has something to tell. */
  tells(change: Partial<ProviderState>): void {
    this.#state = { ...this.#state, ...change };
    act(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  readonly snapshot = () => this.#state;
  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  setUser(user: LocalUser) {
    this.user = user;
  }
  leaveMendingTo() {}
  reconnectNow() {
    this.reconnects += 1;
  }
  copy() {
    return Y.encodeStateAsUpdate(this.doc);
  }
  async discardAndReload() {
    this.discards += 1;
  }
  async readSeparateCopy() {
    return new Uint8Array();
  }
  async deleteSeparateCopy() {}
  guardLeaving() {
    return () => undefined;
  }
  async destroy() {
    this.awareness.destroy();
  }
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface OpenPage {
  /** The newest provider that the page has opened. */
  readonly provider: () => MemoryProvider;
  readonly requests: readonly Request[];
}

export interface Scene {
  /** Of the document that the page opens; any other is saved and well. */
  readonly state?: Partial<ProviderState>;
  readonly doc?: Y.Doc;
  /** What the REST side answers; a document by default. */
  readonly answer?: (request: Request) => Response;
  readonly who?: WhoAmI;
  /** Names of who asks for access. */
  readonly asking?: string[];
}

export const ANN: Me = {
  user: { id: "ann", name: "Ann", color: "#0369a1" },
  kind: "oidc",
  email: "ann@example.org",
  mayRename: false,
  mayCreate: true,
};

/** A person whom the server has told who they are. */
export async function known(me: Me = ANN): Promise<WhoAmI> {
  const who = createWhoAmI({
    me: async () => me,
    changeMe: async (look) => ({ ...me, user: { ...me.user, ...look } }),
  });
  await who.ask();
  return who;
}

export function openDocument({
  state = {},
  doc,
  answer = anyDocument,
  who = NOBODY,
  asking = [],
}: Scene = {}): OpenPage {
  const opened: MemoryProvider[] = [];
  const requests: Request[] = [];
  const open = (opening: Opening) => {
    const isFirst = opening.documentId === "abcdefgh";
    const provider = new MemoryProvider(isFirst && doc ? { ...opening, doc } : opening, {
      ...SAVED,
      ...(isFirst ? state : {}),
    });
    opened.push(provider);
    return provider;
  };
  const api = createApi(async (path, { method = "GET", body }) => {
    const request = { method, path, body: typeof body === "string" ? JSON.parse(body) : body };
    if (path.endsWith("/opened")) return new Response(null, { status: 204 });
    if (method === "GET" && path.endsWith("/requests")) return waiting(asking);
    if (path === "/api/inbox/unread") return new Response(JSON.stringify({ unread: 0 }), { status: 200 });
    requests.push(request);
    return answer(request);
  });
  render(
    <ThemeContext value={createTheme(window)}>
      <ApiContext value={api}>
        <WhoContext value={who}>
          <OpenContext value={open}>
            <TooltipProvider>
              <ToastProvider>
                <EditorPage documentId="abcdefgh" />
              </ToastProvider>
            </TooltipProvider>
          </OpenContext>
        </WhoContext>
      </ApiContext>
    </ThemeContext>,
  );
  return {
    requests,
    provider: () => {
      const newest = opened.at(-1);
      if (!newest) throw new Error("The page has opened no document");
      return newest;
    },
  };
}

function waiting(names: readonly string[]): Response {
  const users = names.map((name) => ({ id: name.toLowerCase(), name, color: "#0369a1" }));
  const requests = users.map((user) => ({ user, email: null, asked_at: TIME }));
  return new Response(JSON.stringify({ requests }), { status: 200 });
}

/** A document, whatever is asked; but nobody is known as an author. */
export function anyDocument({ path }: Partial<Request> = {}): Response {
  if (path?.includes("/authors/")) return Response.json({ person: null });
  const entry = {
    id: "abcdefgh",
    title: "Minutes",
    created_at: TIME,
    updated_at: TIME,
    trashed_at: null,
    size: 1,
  };
  return new Response(JSON.stringify(entry), { status: 200 });
}

export function refusal(code: string, message: string, status: number): Response {
  return new Response(JSON.stringify({ error: { code, message } }), { status });
}

const TIME = "2027-01-01T00:00:00Z";
