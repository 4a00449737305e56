/** The provider: one document, its session, its offline copy and its presence, under one lifetime. */

import { ObservableV2 } from "lib0/observable";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Change } from "./changes.js";
import { type Clock, systemClock } from "./clock.js";
import type { Connection } from "./connection.js";
import { newKey } from "./keys.js";
import { LeaveGuard, type LeavingPage } from "./leaving.js";
import type { Found, KeepOnDevice, Kept, Knowledge, OfflineCopy } from "./offline.js";
import { isLook, Presence } from "./presence.js";
import { report } from "./report.js";
import { encodeDespite } from "./salvage.js";
import { Session } from "./session.js";
import { maySuggest, type SyncState, unacknowledged, unsaved, untold } from "./state.js";
import type { Tabs } from "./tabs.js";
import type { TokenSource } from "./tokens.js";
import { SocketConnection } from "./transport.js";
import { troubleOf } from "./trouble.js";
import type {
  ConnectionStatus,
  Format,
  LocalUser,
  Provider,
  ProviderState,
  ServerError,
  Status,
  SuggestAnew,
  Trouble,
  User,
  Vocabulary,
} from "./types.js";

export interface ProviderOptions {
  readonly documentId: string;
  /** The document to fill; by default a new one. Give it to one provider only. */
  readonly doc?: Y.Doc;
  /** Where the server is; by default where the page came from. Not used with `connection`. */
  readonly url?: string;
  /** A connection to share with other providers of the page. */
  readonly connection?: Connection;
  readonly user?: LocalUser;
  /**
   * A token of the application around this one, for servers that ask for one, or a function that returns a fresh one. Not used
   * with `connection`.
   */
  readonly token?: TokenSource;
  /** Whether to connect at once (the default), or only when `connect()` is called. */
  readonly connect?: boolean;
  /** Called before each try to connect, which waits for it. Not used with `connection`. */
  readonly beforeConnecting?: () => Promise<void>;
  /** The secret of a link to the document: what follows `#link=` in its address. */
  readonly link?: string;
  /**
   * What the page's editor knows. A document of another format is opened for reading. The first edit of a page that
   * declares a format gives it to a document without one.
   */
  readonly format?: Format;
  /** What the page's editor knows, name by name: with it, a document that holds anything else is opened for reading. */
  readonly schema?: Vocabulary;
  /** Whether the document was made on this device and may be empty: it is loaded at once, before the server is reached. */
  readonly isNew?: boolean;
  /**
   * Whether to keep a copy on this device (the default). The code for that is loaded then; with `keepOnDevice` itself it
   * belongs to the page's own.
   */
  readonly offline?: boolean | KeepOnDevice;
  /** Milliseconds during which local changes are gathered into one message. */
  readonly gatherTime?: number;
  readonly clock?: Clock;
}

/** What a provider tells. The names are those of other providers of Yjs, as far as they have one. */
export interface ProviderEvents {
  status: (event: { readonly status: ConnectionStatus }) => void;
  /** Whether everything that the server had is in `doc`, and the server has been told what it lacks. */
  sync: (isSynced: boolean) => void;
  /** The same as `sync`. */
  synced: (isSynced: boolean) => void;
  /** The connection has ended; `why` is null if the page has asked for that. */
  "connection-close": (why: Trouble | null, provider: ManyhandsProvider) => void;
  /** Why something does not go as it should has changed; null: all is well again. */
  trouble: (trouble: Trouble | null) => void;
  /** The last local change that was on its way is durable on the server. */
  saved: () => void;
  /** Another page or program tells something by `broadcast`; the server says who it is. */
  broadcast: (payload: string, user: User) => void;
  /** The local awareness state was not taken: too large, or no JSON. Others go on seeing the last one that was. */
  "presence-refused": (error: ServerError) => void;
  destroy: (provider: ManyhandsProvider) => void;
}

/** Long enough for a burst of keystrokes' changes to travel together, short enough not to be felt. */
const GATHER_TIME = 30;

export class ManyhandsProvider extends ObservableV2<ProviderEvents> implements Provider {
  readonly documentId: string;
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  private readonly clock: Clock;
  private readonly connection: Connection;
  private readonly presence: Presence;
  private readonly session: Session;
  private copyOnDevice: OfflineCopy | null = null;
  /** Ends when the copy on the device is there, or it is known that there is none. */
  private readonly opening: Promise<void>;
  /** Comes with the copy on the device. */
  private tabs: Tabs | null = null;
  private readonly isNew: boolean;
  private readonly listeners = new Set<() => void>();
  private offlineCopy: "ok" | "unavailable" | "off";
  private separateCopies: readonly string[] = [];
  private mended = 0;
  private shown: ProviderState;
  private wasSynced = false;
  /** The name and the colour that the server was told because the awareness had them. */
  private followed: LocalUser | null = null;
  private firstSync: Promise<void> | null = null;
  private destroyed = false;

  constructor(options: ProviderOptions) {
    super();
    const clock = options.clock ?? systemClock;
    this.clock = clock;
    const knowledge = {
      ...(options.format === undefined ? {} : { format: options.format }),
      ...(options.schema === undefined ? {} : { schema: options.schema }),
    };
    this.documentId = options.documentId;
    this.isNew = options.isNew ?? false;
    this.doc = options.doc ?? new Y.Doc();
    this.awareness = new Awareness(this.doc);
    this.connection =
      options.connection ??
      new SocketConnection({
        clock,
        ...(options.url === undefined ? {} : { url: options.url }),
        ...(options.user === undefined ? {} : { user: options.user }),
        ...(options.token === undefined ? {} : { token: options.token }),
        ...(options.beforeConnecting === undefined ? {} : { beforeConnecting: options.beforeConnecting }),
      });
    this.presence = new Presence(
      this.awareness,
      clock,
      (state, answered) => this.session.sendPresence(state, answered),
      (error) => this.announce("presence-refused", [error]),
    );
    const { offline = true } = options;
    this.offlineCopy = offline === false ? "off" : "ok";
    this.session = new Session({
      documentId: this.documentId,
      doc: this.doc,
      connection: this.connection,
      clock,
      presence: this.presence,
      gatherTime: options.gatherTime ?? GATHER_TIME,
      ...(options.link === undefined ? {} : { link: options.link }),
      ...knowledge,
      isForeign: (origin) => this.copyOnDevice?.isOrigin(origin) ?? false,
      onChange: this.onStep,
      setAside: () => void this.setAside(),
      onReadOnly: () => this.copyOnDevice?.onlyRead(),
      onSilence: this.onSilence,
      onMoved: this.onMoved,
      onBroadcast: (payload, user) => this.announce("broadcast", [payload, user]),
      onAnew: () => void this.copyOnDevice?.beginAnew().catch(() => undefined),
      nameOf: this.nameOf,
    });
    this.shown = this.view();
    if (options.user === undefined) this.awareness.on("change", this.followUser);
    else this.showUser(options.user);
    this.session.start();
    if (options.connect !== false) this.session.connect();
    this.opening = this.open(offline, clock, knowledge, options.format ?? null);
  }

  /** Read the copy on the device, if there is to be one, and join. */
  private async open(
    offline: boolean | KeepOnDevice,
    clock: Clock,
    knowledge: Knowledge,
    format: Format | null,
  ): Promise<void> {
    const { documentId, doc, toKeep, onCopyFailed, show } = this;
    try {
      const keep = offline === true ? (await import("./offline.js")).keepOnDevice : offline || null;
      this.copyOnDevice = keep?.(documentId, doc, clock, toKeep, onCopyFailed, show, knowledge) ?? null;
      this.tabs = this.copyOnDevice?.tabs(this.session, this.awareness, format, this.nameOf) ?? null;
    } catch {
      this.onCopyFailed(); // the code has not come
    }
    if (this.copyOnDevice === null) this.begin(nothingFound());
    else this.begin(await this.copyOnDevice.open(this.session.onlyRead));
  }

  /** The same as `doc`. */
  get document(): Y.Doc {
    return this.doc;
  }

  /** Whether everything that the server had is in `doc`, and the server has been told what it lacks. */
  get synced(): boolean {
    return this.shown.status === "synced";
  }

  /** Resolves once `synced` has been true; rejects if the session is over before that. */
  get whenSynced(): Promise<void> {
    this.firstSync ??= new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.wasSynced) resolve();
        else if (this.shown.closed !== null) reject(new Error(this.shown.closed.message));
        else if (this.destroyed) reject(new Error("The provider has ended."));
      };
      this.subscribe(look);
      this.once("destroy", look);
      look();
    });
    return this.firstSync;
  }

  /** Keep the document in step again, after `disconnect()` or after a refusal that may have been lifted; at once. */
  connect(): void {
    if (this.destroyed) return;
    const isAgain = this.session.isWanted;
    this.session.connect();
    if (!isAgain) this.tabs?.hello();
    if (isAgain || this.connection.link === "offline") this.connection.reconnectNow();
    this.show();
  }

  /** Leave the document until `connect()`; what changes meanwhile is kept and sent then. */
  disconnect(): void {
    this.session.disconnect();
    this.show();
  }

  readonly snapshot = (): ProviderState => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  setUser(user: LocalUser): void {
    this.awareness.off("change", this.followUser);
    this.showUser(user);
    this.connection.setUser(user);
  }

  private showUser(user: LocalUser): void {
    this.presence.color = user.color;
    this.awareness.setLocalStateField("user", user);
  }

  /** Editors' bindings set `user` in the awareness: a guest goes by that name, unless the page has given another one. */
  private readonly followUser = (_changes: unknown, origin: unknown): void => {
    const user = this.awareness.getLocalState()?.user;
    if (origin !== "local" || !isLook(user)) return;
    const { name, color } = user;
    if (name === this.followed?.name && color === this.followed.color) return;
    this.followed = { name, color };
    this.presence.color = color;
    this.connection.setUser(this.followed);
  };

  /**
   * Tell all others who have the document open at this moment something that nobody keeps. Rejects with an Error that has
   * a `code` if the server does not take it, or there is no connection.
   */
  broadcast(payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.session.broadcast(payload, (error) => {
        if (error === null) resolve();
        else reject(Object.assign(new Error(error.message), { code: error.code }));
      });
    });
  }

  reconnectNow(): void {
    this.connection.reconnectNow();
  }

  copy(): Uint8Array {
    return encodeDespite(this.doc).update;
  }

  async discardAndReload(): Promise<void> {
    this.end();
    await this.opening;
    await this.copyOnDevice?.discard();
  }

  async readSeparateCopy(name: string): Promise<Uint8Array> {
    if (this.copyOnDevice === null || !this.separateCopies.includes(name)) {
      throw new RangeError("There is no separate copy of this name.");
    }
    return this.copyOnDevice.readSeparate(name);
  }

  async deleteSeparateCopy(name: string): Promise<void> {
    if (!this.separateCopies.includes(name)) return;
    await this.copyOnDevice?.deleteSeparate(name);
    this.separateCopies = this.separateCopies.filter((kept) => kept !== name);
    this.show();
  }

  leaveMendingTo(suggestAnew: SuggestAnew | null): void {
    this.session.leaveMendingTo(suggestAnew);
  }

  guardLeaving(page: LeavingPage): () => void {
    const guard = new LeaveGuard(page, this.clock);
    const look = () => guard.guard(this.shown.unsaved > 0);
    const stop = this.subscribe(look);
    look();
    return () => {
      stop();
      guard.end();
    };
  }

  override async destroy(): Promise<void> {
    this.end();
    if (this.copyOnDevice === null) await this.opening;
    await this.copyOnDevice?.destroy();
  }

  private end(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.tabs?.close();
    this.session.stop();
    this.presence.destroy();
    this.announce("destroy", [this]);
    this.listeners.clear();
    super.destroy();
  }

  /** What was found on this device is in the document: the session may join. */
  private begin(found: Omit<Found, "copy">): void {
    if (this.destroyed) return;
    if (unsaved(this.session.state) > 0) this.copyOnDevice?.markUnsaved(); // what was written before the copy was open
    this.separateCopies = found.separateCopies;
    const filled = Y.encodeStateVector(this.doc).length > 1;
    const applied = filled ? found.applied : 0;
    const epoch = filled ? found.epoch : null;
    this.session.begin(found.key, applied, { ...found, filled: filled || this.isNew, epoch });
    this.openTabs();
    this.show();
  }

  private openTabs(): void {
    if (this.copyOnDevice !== null) this.tabs?.open(this.copyOnDevice.name);
  }

  private readonly nameOf = (change: Change): string => this.copyOnDevice?.nameOf(change) ?? "";

  private readonly onStep = (state: SyncState, before: SyncState): void => {
    const [now, then] = [unsaved(state), unsaved(before)];
    if (now > then) this.copyOnDevice?.markUnsaved();
    else if (now === 0 && then > 0) this.copyOnDevice?.markSaved();
    const isOver = state.closed !== null && state.closed.code !== "other_format";
    if (state.epoch !== null && state.loaded && !isOver) {
      this.copyOnDevice?.remember(state.epoch, state.document);
    }
    this.copyOnDevice?.keepSoon();
    this.tabs?.follow(state, before);
    this.show();
  };

  private readonly toKeep = (): Kept | null => {
    const { state, applied } = this.session;
    if (!state.ready) return null;
    return { changes: unacknowledged(state), whole: untold(state) === 0, epoch: state.epoch, applied };
  };

  private readonly onSilence = (): void => {
    this.mended += 1;
    this.copyOnDevice?.keepWhole(encodeDespite(this.doc).update);
    this.show();
  };

  private readonly onMoved = (done: () => void): void => {
    this.mended += 1;
    const goOn = (): void => {
      this.openTabs();
      done();
    };
    Promise.resolve(this.copyOnDevice?.beginAnew()).then(goOn, goOn);
    this.show();
  };

  private readonly onCopyFailed = (): void => {
    this.offlineCopy = "unavailable";
    this.show();
  };

  private async setAside(): Promise<void> {
    this.separateCopies = (await this.copyOnDevice?.setAside()) ?? [];
    this.show();
  }

  private readonly show = (): void => {
    const next = this.view();
    this.wasSynced ||= next.status === "synced";
    if (same(next, this.shown)) return;
    const before = this.shown;
    this.shown = next;
    for (const listener of [...this.listeners]) listener();
    this.tell(next, before);
  };

  /** Tell what has changed, as events. */
  private tell(next: ProviderState, before: ProviderState): void {
    const [status, last] = [connectionStatus(next.status), connectionStatus(before.status)];
    if (status !== last) this.announce("status", [{ status }]);
    if (!isAlike(next.trouble, before.trouble)) this.announce("trouble", [next.trouble]);
    if (last === "connected" && status !== last) this.announce("connection-close", [next.trouble, this]);
    const isSynced = next.status === "synced";
    if (isSynced !== (before.status === "synced")) {
      this.announce("synced", [isSynced]);
      this.announce("sync", [isSynced]);
    }
    if (next.unsaved === 0 && before.unsaved > 0) this.announce("saved", []);
  }

  /** An exception of a listener is not the provider's. */
  private announce<Name extends keyof ProviderEvents>(
    name: Name,
    args: Parameters<ProviderEvents[Name]>,
  ): void {
    try {
      this.emit(name, args);
    } catch (error) {
      report(error);
    }
  }

  private view(): ProviderState {
    const { session, separateCopies, mended } = this;
    const { role, durability, loaded, document, refusal, readOnly, turnedAway } = session.state;
    const { closed, quarantined, setAside, accessChanges, lastSavedAt, discussion, inboxChanges } =
      session.state;
    const waiting = unsaved(session.state);
    const isWriting = this.offlineCopy === "ok" && waiting > 0 && this.copyOnDevice?.isBehind !== false;
    const offlineCopy = isWriting ? "writing" : this.offlineCopy;
    return {
      status: statusOf(session.state),
      unsaved: waiting,
      trouble: troubleOf(session.state, session.isWanted),
      progress: progressOf(session.state),
      canSuggest: maySuggest(session.state) && readOnly === null,
      ...{ role, durability, loaded, document, refusal, readOnly, turnedAway, closed, quarantined, setAside },
      ...{ accessChanges, discussion, inboxChanges, lastSavedAt, offlineCopy, separateCopies, mended },
    };
  }
}

function nothingFound(): Omit<Found, "copy"> {
  return {
    key: newKey(),
    epoch: null,
    document: null,
    dirty: false,
    changes: [],
    applied: null,
    separateCopies: [],
  };
}

function statusOf({ link, phase, closed }: SyncState): Status {
  if (closed !== null) return "offline";
  if (link !== "connected") return link;
  return phase.kind === "joined" && phase.sending !== "offering" ? "synced" : "syncing";
}

function connectionStatus(status: Status): ConnectionStatus {
  if (status === "offline") return "disconnected";
  return status === "connecting" ? status : "connected";
}

function progressOf({ phase }: SyncState): ProviderState["progress"] {
  if (phase.kind !== "fetching") return null;
  const received = phase.parts.reduce((sum, part) => sum + part.length, 0);
  return { received, total: phase.total };
}

/** Whether two troubles differ in nothing but their sentences, which may name seconds. */
function isAlike(one: Trouble | null, other: Trouble | null): boolean {
  return one?.reason === other?.reason && one?.concerns === other?.concerns;
}

/** Field by field, two levels deep: whether a page would show the same. */
function same(one: ProviderState, other: ProviderState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
