/**
 * The copy of a document on this device: y-indexeddb for its content, a database of our own for what belongs beside it.
 *
 * 1. Each life (epoch) of a document has a content database of its own. Setting a copy aside means to point the document at
 *    a new one: tabs that still have the old life open go on writing to the old database and spoil nothing.
 * 2. Beside the content stand the key that protects client ids, the epoch and the title for a visit without a network.
 * 3. Each tab with changes that are not known to be durable keeps a mark there, which counts them. State vectors do not tell
 *    deletions, so without the mark a deletion made offline would not be sent after a reload.
 * 4. One's own changes come into the content at once, and others' together, every now and then: the server has those.
 * 5. Changes that are not acknowledged also stand by themselves in the content database, written together as well. A record
 *    beside them says up to which count of the mark they are whole. When they are not, as after a crash or in a copy of an
 *    earlier release, the copy is `dirty`: the document's state has to be sent.
 * 6. A device without IndexedDB, or with a full disk, edits on without a copy: `onFailure` says so, and no failure reaches the editor.
 */

import { IndexeddbPersistence } from "y-indexeddb";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { type Change, type KeptChange, updateOf } from "./changes.js";
import type { Clock, Timer } from "./clock.js";
import {
  contentDatabase,
  DATABASE,
  deleteDatabase,
  entries,
  openDatabase,
  result,
  STORES,
  under,
} from "./database.js";
import { knows, readOnlyFor, readOnlyWithout, unknownIn } from "./format.js";
import { newKey, random } from "./keys.js";
import type { Session } from "./session.js";
import { Tabs } from "./tabs.js";
import type { DocumentInfo, Format, ReadOnly, Vocabulary } from "./types.js";

/** Milliseconds to wait for the copy; a browser that takes longer has a database that hangs. */
const PATIENCE = 5_000;
/** Milliseconds during which changes are gathered before they are written: most are acknowledged by then. */
const GATHER_TIME = 500;
/** Of others' changes so many are gathered at most: some ten people's within that time. */
const MOST_GATHERED = 100;

/** What a document's record beside its copy holds. */
export interface Entry {
  readonly key: string;
  /** `<document_id>/<random>`: which content database is the document's now. */
  readonly copy: string;
  readonly epoch: number | null;
  readonly document: DocumentInfo | null;
  /** The format of the pages that have filled the copy; absent in copies of earlier releases. */
  readonly format?: Format | null;
}

/** What was found on this device. */
export interface Found extends Entry {
  /** Whether there may be changes in the copy that are unknown to the server and not among `changes`. */
  readonly dirty: boolean;
  /** What tabs of this device have changed, in the order of each; the server may lack it. */
  readonly changes: readonly KeptChange[];
  /** Every row up to this one is in the copy; null when that is not known. */
  readonly applied: number | null;
  readonly separateCopies: readonly string[];
}

/** What a page knows of rich text. */
export interface Knowledge {
  readonly format?: Format;
  readonly schema?: Vocabulary;
}

/** The page's knowledge of its document that the device keeps beside the content. */
export interface Kept {
  /** The changes that are not acknowledged. */
  readonly changes: readonly Change[];
  /** Whether these are all changes that are not acknowledged. */
  readonly whole: boolean;
  readonly epoch: number | null;
  readonly applied: number | null;
}

/** A record beside the content: of a change, or how many changes of a tab the records are whole for. */
type Written = Omit<KeptChange, "key"> | { readonly count: number };

export class OfflineCopy {
  private readonly documentId: string;
  private readonly doc: Y.Doc;
  private readonly clock: Clock;
  private readonly toKeep: () => Kept | null;
  private readonly onFailure: () => void;
  private readonly onKept: () => void;
  private readonly knowledge: Knowledge;
  private onlyReads = false;
  private readonly tab: string;
  private beside: IDBDatabase | null = null;
  private content: IndexeddbPersistence | null = null;
  private entry: Entry;
  private ended = false;
  /** Marks that other tabs, or this page before its reload, had set when the copy was read, with their counts. */
  private inherited: ReadonlyMap<string, unknown> = new Map();
  private changes = 0;
  /** The records of changes on the device that this tab knows of, with their counts. */
  private written = new Map<string, number>();
  private appliedWritten: number | null = null;
  private timer: Timer | null = null;
  /** So many of `changes` the server was known to have when it last had all; null when the marks say so. */
  private durable: number | null = null;
  /** Others' changes that are to be written. */
  private gathered: Uint8Array[] = [];
  /** So many of `changes` are known to be on the device. */
  private kept = 0;
  private marking: Promise<unknown> = Promise.resolve();
  /** Ends when what was written last, and all before, is on the device. */
  private writing: Promise<unknown> = Promise.resolve();

  /**
   * `onFailure` is called once, when it turns out that changes are not kept on this device; `onKept` whenever all of them
   * are.
   */
  constructor(
    documentId: string,
    doc: Y.Doc,
    clock: Clock,
    toKeep: () => Kept | null,
    onFailure: () => void,
    onKept: () => void = () => {},
    knowledge: Knowledge = {},
  ) {
    this.documentId = documentId;
    this.doc = doc;
    this.clock = clock;
    // Tabs are read in the order in which they were opened.
    this.tab = clock.now().toString(36).padStart(9, "0") + random(8);
    this.toKeep = toKeep;
    this.onFailure = onFailure;
    this.onKept = onKept;
    this.knowledge = knowledge;
    this.entry = { key: newKey(), copy: this.newCopy(), epoch: null, document: null };
  }

  /**
   * Read the copy into the document. Without one, or without a database, the answer is that of an empty copy. `onReadOnly`
   * is told, before anything is in the document, why the copy is only to be read here.
   */
  open(onReadOnly: (why: ReadOnly) => void = () => {}): Promise<Found> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.fail();
        const nothing = { dirty: false, changes: [], applied: null, separateCopies: [] };
        resolve({ ...this.entry, ...nothing });
      };
      const timer = this.clock.setTimeout(giveUp, PATIENCE);
      this.read(onReadOnly)
        .then(resolve, giveUp)
        .finally(() => this.clock.clearTimeout(timer));
    });
  }

  /** The talk with the tabs that share the copy. */
  tabs(
    session: Session,
    awareness: Awareness,
    format: Format | null,
    nameOf: (change: Change) => string,
  ): Tabs {
    return new Tabs(session, this.doc, awareness, format, nameOf);
  }

  /** The name of the copy, which all tabs have that share it. */
  get name(): string {
    return this.entry.copy;
  }

  /** Whether a local change is not known to be on the device yet. */
  get isBehind(): boolean {
    return this.content !== null && this.kept < this.changes;
  }

  /** Whether a change of the document with this origin was read from the copy. */
  isOrigin(origin: unknown): boolean {
    return origin !== null && (origin === this.content || origin === this);
  }

  /** Write nothing more of the document: what changes in it from now on is not to be kept. */
  onlyRead(): void {
    this.onlyReads = true;
    this.forgetTimer();
    const content = this.letGo();
    void this.writing.then(() => content?.destroy());
  }

  /** A local change was made that is not durable on the server yet. */
  markUnsaved(): void {
    if (this.onlyReads) return;
    this.changes += 1;
    const { changes } = this;
    this.marking = this.write("unsaved", (store) => {
      const done = result(store.put(changes, this.ownMark()));
      store.transaction.commit(); // as in putAll
      return done;
    });
  }

  /** Everything in the document is durable on the server: the marks go when the page writes the next time. */
  markSaved(): void {
    if (!this.onlyReads) this.durable = this.changes;
  }

  /** What `toKeep` returns has changed; as long as that is null, nothing is written. */
  keepSoon(): void {
    if (this.content !== null) this.timer ??= this.clock.setTimeout(this.keepNow, GATHER_TIME);
  }

  /** Note the document's life and title for the next visit, which may be offline. */
  remember(epoch: number, document: DocumentInfo | null): void {
    if (epoch === this.entry.epoch && document === this.entry.document) return;
    const format = this.onlyReads ? this.entry.format : (this.knowledge.format ?? this.entry.format);
    this.entry = { ...this.entry, epoch, document, ...(format == null ? {} : { format }) };
    const { entry } = this;
    void this.write("documents", async (store) => {
      const current = (await result(store.get(this.documentId))) as Entry | undefined;
      if (current?.copy === entry.copy) await result(store.put(entry, this.documentId));
    });
  }

  /** Add the whole document to the copy: what the document did not tell of is not in it. */
  keepWhole(update: Uint8Array): void {
    try {
      this.content?.db?.transaction("updates", "readwrite").objectStore("updates").add(update);
    } catch {
      this.fail(); // the connection to the database is gone
    }
  }

  /** Replace the copy by the document as it is now, whose items have other ids than in the copy. */
  async beginAnew(): Promise<void> {
    const { beside, content, entry } = this;
    if (beside === null || content === null) return;
    const dropMarks = this.marksToDrop();
    const known = (await result(open(beside, "readonly")[0].get(this.documentId))) as Entry | undefined;
    // Another tab may have been first: what it has begun is for both.
    this.entry = known?.copy === entry.copy ? { ...entry, copy: this.newCopy() } : (known ?? entry);
    this.letGo();
    await this.writing;
    await content.destroy();
    this.written = new Map();
    this.appliedWritten = null;
    await this.readContent(); // which writes the whole document too
    this.keepSoon();
    const [documents, unsaved] = open(beside, "readwrite");
    const current = (await result(documents.get(this.documentId))) as Entry | undefined;
    if (current?.copy === entry.copy) await result(documents.put(this.entry, this.documentId));
    await result(unsaved.put(this.changes, this.ownMark()));
    await dropMarks(unsaved);
    const marks = await entries(unsaved, under(entry.copy));
    // A tab that has unsaved words in the old copy moves them itself.
    if (marks.length === 0) void deleteDatabase(content.name);
  }

  /** Keep the copy under its own name and begin an empty one for whoever opens the document next; returns all names kept. */
  async setAside(): Promise<readonly string[]> {
    const { beside } = this;
    if (beside === null) return [];
    const [documents, , copies] = open(beside, "readwrite");
    await result(copies.put(this.entry.epoch, this.entry.copy));
    await this.pointAtNewCopy(documents);
    return (await entries(copies, under(this.documentId))).map(([name]) => name);
  }

  /** A copy that was set aside, as one update. */
  async readSeparate(name: string): Promise<Uint8Array> {
    const doc = new Y.Doc();
    const content = new IndexeddbPersistence(contentDatabase(name), doc);
    await content.whenSynced;
    const update = Y.encodeStateAsUpdate(doc);
    await content.destroy();
    doc.destroy();
    return update;
  }

  async deleteSeparate(name: string): Promise<void> {
    await deleteDatabase(contentDatabase(name));
    if (this.beside !== null) await result(open(this.beside, "readwrite")[2].delete(name));
  }

  /** Forget the copy for ever, and close. */
  async discard(): Promise<void> {
    const { beside, content } = this;
    if (beside !== null) {
      const [documents, unsaved] = open(beside, "readwrite");
      await this.pointAtNewCopy(documents);
      await result(unsaved.delete(under(this.entry.copy)));
    }
    await this.destroy();
    if (content !== null || this.onlyReads) await deleteDatabase(contentDatabase(this.entry.copy));
  }

  async destroy(): Promise<void> {
    this.keepNow();
    for (const event of LAST_CHANCES) globalThis.removeEventListener?.(event, this.keepNow);
    const content = this.letGo();
    const { beside } = this;
    this.ended = true;
    this.beside = null;
    beside?.close();
    await this.writing;
    await content?.destroy();
  }

  private async read(onReadOnly: (why: ReadOnly) => void): Promise<Found> {
    const beside = await openDatabase(DATABASE, STORES);
    if (this.ended) {
      beside.close();
      throw new Error("The copy came too late.");
    }
    this.beside = beside;
    const found = await this.readBeside(beside);
    const isStrange = !this.knowsFormat();
    if (isStrange || this.knowledge.schema !== undefined) {
      const apart = new Y.Doc();
      await this.readContent(apart);
      const kept = await this.readKept(beside, found.epoch, apart);
      const readOnly = this.readOnlyIn(apart, isStrange);
      if (readOnly !== null) {
        this.onlyRead();
        onReadOnly(readOnly);
        Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(apart), this);
        return { ...found, ...kept };
      }
      await this.letGo()?.destroy();
      this.written = new Map();
    }
    await this.readContent();
    const kept = await this.readKept(beside, found.epoch);
    for (const event of LAST_CHANCES) globalThis.addEventListener?.(event, this.keepNow);
    // What was written while the copy was being read had nowhere to leave its mark.
    if (this.changes > 0) this.markUnsaved();
    return { ...found, ...kept };
  }

  private knowsFormat(): boolean {
    const { document, format } = this.entry;
    const declared = this.knowledge.format ?? null;
    if (document?.anyFormat === true) return true;
    return knows(declared, document?.format) && knows(declared, format);
  }

  private readOnlyIn(content: Y.Doc, isStrange: boolean): ReadOnly | null {
    const { schema } = this.knowledge;
    const unknown = schema === undefined ? [] : unknownIn(content, schema);
    if (isStrange) return readOnlyFor(this.entry.document?.format ?? this.entry.format, unknown);
    return unknown.length === 0 ? null : readOnlyWithout(unknown);
  }

  private async readBeside(beside: IDBDatabase): Promise<Omit<Found, "dirty" | "changes" | "applied">> {
    const [documents, unsaved, copies] = open(beside, "readwrite");
    const known = (await result(documents.get(this.documentId))) as Entry | undefined;
    if (known === undefined) await result(documents.put(this.entry, this.documentId));
    else this.entry = known;
    this.inherited = new Map(await entries(unsaved, under(this.entry.copy)));
    const kept = await entries(copies, under(this.documentId));
    return { ...this.entry, separateCopies: kept.map(([name]) => name) };
  }

  /** Read the changes of those tabs that had a mark before the content was read. */
  private async readKept(
    beside: IDBDatabase,
    epoch: number | null,
    doc = this.doc,
  ): Promise<Pick<Found, "dirty" | "changes" | "applied">> {
    const { content, inherited } = this;
    const db = content?.db;
    if (db == null) return { dirty: inherited.size > 0, changes: [], applied: null };
    const store = db.transaction("custom", "readonly").objectStore("custom");
    const [records, applied] = await Promise.all([
      entries(store, under("changes")),
      result(store.get("applied")) as Promise<{ epoch: number | null; seq: number } | undefined>,
    ]);
    const marks = new Map(
      [...inherited].map(([mark, count]) => [mark.slice(mark.lastIndexOf("/") + 1), count]),
    );
    const now = await entries(open(beside, "readonly")[1], under(this.entry.copy));
    const changes: KeptChange[] = [];
    const whole = new Set<string>();
    for (const [key, value] of records) {
      const record = value as Written;
      const [, tab = "", name] = key.split("/");
      const count = marks.get(tab);
      // Without a mark all is saved; but a mark may have come since.
      if (count === undefined && now.some(([mark]) => mark.endsWith(`/${tab}`))) continue;
      this.written.set(key, record.count);
      if (count === undefined) continue;
      if ("update" in record) changes.push({ key, ...record });
      else if (name === "whole" && record.count >= Number(count)) whole.add(tab);
    }
    // The content may lack them: a page that went had no time for it, another tab has written just now.
    for (const { update } of changes) Y.applyUpdate(doc, update, content);
    const dirty = [...marks.keys()].some((tab) => !whole.has(tab));
    return { dirty, changes, applied: applied?.epoch === epoch ? applied.seq : null };
  }

  private async readContent(doc = this.doc): Promise<void> {
    if (this.ended) return;
    const content = new IndexeddbPersistence(contentDatabase(this.entry.copy), doc);
    this.content = content;
    // What is read is not to be written, and what was written before goes with the reading.
    doc.off("update", content._storeUpdate);
    content.once("synced", () => doc.on("update", this.gather));
    await content.whenSynced;
    // On a connection that the browser has closed (site data cleared) each keystroke would throw.
    for (const event of ["close", "versionchange"]) content.db?.addEventListener(event, () => this.fail());
  }

  /** Unless another tab has done so already. */
  private async pointAtNewCopy(documents: IDBObjectStore): Promise<void> {
    const current = (await result(documents.get(this.documentId))) as Entry | undefined;
    if (current?.copy !== this.entry.copy) return;
    const fresh: Entry = { key: current.key, copy: this.newCopy(), epoch: null, document: null };
    await result(documents.put(fresh, this.documentId));
  }

  /** Another tab's mark goes only if that tab has added nothing since its changes were read. */
  private marksToDrop(own = true): (unsaved: IDBObjectStore) => Promise<void> {
    const { inherited } = this;
    const ownMark = this.ownMark();
    this.inherited = new Map();
    return async (unsaved) => {
      if (own) await result(unsaved.delete(ownMark));
      for (const [mark, count] of inherited) {
        if ((await result(unsaved.get(mark))) === count) await result(unsaved.delete(mark));
      }
    };
  }

  private newCopy(): string {
    return `${this.documentId}/${random(8)}`;
  }

  private ownMark(): string {
    return `${this.entry.copy}/${this.tab}`;
  }

  /** One's own changes are written at once, and others' together: the server has them. */
  private readonly gather = (
    update: Uint8Array,
    origin: unknown,
    _doc: Y.Doc,
    { local }: Y.Transaction,
  ): void => {
    if (origin === this.content) return;
    this.gathered.push(update);
    if (local || this.gathered.length >= MOST_GATHERED) this.writeContent();
    else this.keepSoon();
  };

  private writeContent(): void {
    const updates = this.gathered;
    this.gathered = [];
    const [only] = updates;
    if (only === undefined) return;
    try {
      this.content?._storeUpdate(updates.length === 1 ? only : Y.mergeUpdates(updates), null);
    } catch {
      this.fail(); // the connection to the database is gone
    }
  }

  /** Write the last of the content. */
  private letGo(): IndexeddbPersistence | null {
    this.writeContent();
    const { content } = this;
    content?.doc.off("update", this.gather);
    this.content = null;
    return content;
  }

  private dropMarks(): void {
    if (this.durable === null) return;
    const drop = this.marksToDrop(this.durable === this.changes);
    this.durable = null;
    void this.write("unsaved", drop);
  }

  private readonly keepNow = (): void => {
    this.forgetTimer();
    this.writeContent();
    this.dropMarks();
    const kept = this.toKeep();
    const db = this.content?.db;
    if (this.ended || kept === null || db == null) return;
    const wanted = this.recordsOf(kept);
    const puts = [...wanted].filter(([key, { count }]) => this.written.get(key) !== count);
    const drops = [...this.written].filter(([key]) => !wanted.has(key) && this.mayGo(key, kept));
    const { epoch, applied } = kept;
    const isNews = puts.length > 0 || drops.length > 0 || applied !== this.appliedWritten;
    if (!isNews && !this.isBehind) return;
    for (const [key, { count }] of puts) this.written.set(key, count);
    for (const [key] of drops) this.written.delete(key);
    this.appliedWritten = applied;
    const { changes, marking } = this;
    const done = async (): Promise<void> => {
      await Promise.all([marking, putAll(db, puts), allIsWritten(db)]);
      if (changes > this.kept) {
        this.kept = changes;
        if (!this.isBehind) this.onKept();
      }
      if (drops.length === 0 && applied === null) return;
      // Only now: `applied` tells of the content that was written before.
      const store = db.transaction("custom", "readwrite").objectStore("custom");
      await Promise.all([
        ...drops.map((drop) => dropRecord(store, drop)),
        ...(applied === null ? [] : [raiseApplied(store, epoch, applied)]),
      ]);
    };
    this.writing = done().catch(() => this.fail()); // as when the connection to the database is gone
  };

  /** Whether a record may go that is not wanted. What is not in a list that is not whole need not be on the server. */
  private mayGo(key: string, { changes, whole }: Kept): boolean {
    if (key === this.wholeKey()) return true;
    // What other tabs' marks are compared with stays as long as the marks.
    return whole && (changes.length === 0 || !key.endsWith("/whole"));
  }

  /** What a change is called on the device. */
  nameOf({ key, id }: Change): string {
    return key ?? `changes/${this.tab}/${String(id).padStart(16, "0")}`;
  }

  private recordsOf({ changes, whole }: Kept): ReadonlyMap<string, Written> {
    const records = new Map<string, Written>();
    for (const change of changes) {
      const { after, count } = change;
      records.set(this.nameOf(change), { after, count, update: updateOf(change) });
    }
    if (whole && changes.length > 0) records.set(this.wholeKey(), { count: this.changes });
    return records;
  }

  private wholeKey(): string {
    return `changes/${this.tab}/whole`;
  }

  private forgetTimer(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private write(
    storeName: (typeof STORES)[number],
    change: (store: IDBObjectStore) => Promise<unknown>,
  ): Promise<unknown> {
    if (this.beside === null) return Promise.resolve();
    try {
      const store = this.beside.transaction(storeName, "readwrite").objectStore(storeName);
      return change(store).catch(() => this.fail());
    } catch {
      this.fail(); // the connection to the database is gone
      return Promise.resolve();
    }
  }

  private fail(): void {
    if (this.ended) return;
    this.ended = true;
    void this.destroy();
    this.onFailure();
  }
}

/** What browsers tell a page last; after that it may be gone. */
const LAST_CHANCES = ["visibilitychange", "pagehide"] as const;

/**
 * Write records in a hurry: the page may be going. They wait for no content, which y-indexeddb writes key by key. Without `commit`
 * the browser would wait for the page to hear of each record, and drop them all if the page goes first.
 */
async function putAll(db: IDBDatabase, records: readonly (readonly [string, Written])[]): Promise<void> {
  if (records.length === 0) return;
  const store = db.transaction("custom", "readwrite").objectStore("custom");
  const done = records.map(([key, record]) => result(store.put(record, key)));
  store.transaction.commit();
  await Promise.all(done);
}

/**
 * Wait until the content that was written so far is on the device. A look at one store only: a transaction over both would make
 * the records of a page that goes wait for the content.
 */
async function allIsWritten(db: IDBDatabase): Promise<void> {
  await result(db.transaction("updates", "readonly").objectStore("updates").getKey(0));
}

/** Another tab's record goes only if it is as it was read. */
async function dropRecord(store: IDBObjectStore, [key, count]: readonly [string, number]): Promise<void> {
  const current = (await result(store.get(key))) as Written | undefined;
  if (current?.count === count) await result(store.delete(key));
}

/** Tabs of a document write into one copy: it is as complete as the most complete of them. */
async function raiseApplied(store: IDBObjectStore, epoch: number | null, seq: number): Promise<void> {
  const current = (await result(store.get("applied"))) as { epoch: number | null; seq: number } | undefined;
  const most = current?.epoch === epoch ? Math.max(current.seq, seq) : seq;
  await result(store.put({ epoch, seq: most }, "applied"));
}

/** One transaction over the stores `documents`, `unsaved` and `copies`. */
function open(
  beside: IDBDatabase,
  mode: IDBTransactionMode,
): readonly [IDBObjectStore, IDBObjectStore, IDBObjectStore] {
  const transaction = beside.transaction(STORES, mode);
  return [
    transaction.objectStore("documents"),
    transaction.objectStore("unsaved"),
    transaction.objectStore("copies"),
  ];
}

/** Keep a copy on this device; see `ProviderOptions.offline`. */
export const keepOnDevice = (...given: ConstructorParameters<typeof OfflineCopy>): OfflineCopy =>
  new OfflineCopy(...given);

export type KeepOnDevice = typeof keepOnDevice;
