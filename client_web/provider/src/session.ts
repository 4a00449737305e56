/** The sync core's shell: carries out its effects on the document, the connection and the clock. */

import * as Y from "yjs";
import type { Settle } from "./anew.js";
import { pauseBefore } from "./backoff.js";
import { decodeBatch } from "./batch.js";
import { type Change, inOrder, sealed, sortOut } from "./changes.js";
import type { Clock, Timer } from "./clock.js";
import type { Answer, Authentication, Connection, Receiver } from "./connection.js";
import { withoutKnown } from "./deletions.js";
import { mayHoldUnknown, readOnlyWithout, unknownIn, withUpdates } from "./format.js";
import { firstClocksIn, HEIRS, SERVER_CLIENT_ID, UNSAVED } from "./heirs.js";
import { Outgoing } from "./outgoing.js";
import type { Presence, PresenceOutcome } from "./presence.js";
import { remedyForUpdate } from "./remedy.js";
import { moveWords, OwnWords } from "./renaming.js";
import { report } from "./report.js";
import { encodeOrDrop } from "./salvage.js";
import {
  type Effect,
  type LinkStatus,
  type Step,
  type SyncState,
  startState,
  unacknowledged,
  unsaved,
} from "./state.js";
import * as sync from "./sync.js";
import type { Heard, TabMessage } from "./tab_messages.js";
import type { Format, ReadOnly, ServerError, SuggestAnew, User, Vocabulary } from "./types.js";
import { reachesBeyond, Watch } from "./watch.js";
import * as wire from "./wire.js";

/** Milliseconds for an answer that the server can give at once or, after a restart, once it has loaded the document. */
const ANSWER_TIME = 20_000;

const LOST: ServerError = {
  code: "unavailable",
  message: "There is no connection now, so perhaps nobody has heard this.",
};

/** The state vector of whoever has nothing. */
const NOTHING_SEEN = Uint8Array.of(0);

export interface SessionParts {
  readonly documentId: string;
  readonly doc: Y.Doc;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly presence: Presence;
  /** Milliseconds during which local changes are gathered into one batch. */
  readonly gatherTime: number;
  /** The secret of the link by which the person came. */
  readonly link?: string;
  /** What the page's editor knows: it is declared to the server. */
  readonly format?: Format;
  /** What the page's editor knows, name by name. */
  readonly schema?: Vocabulary;
  /** Whether a change of the document with this origin is not the person's own. */
  readonly isForeign: (origin: unknown) => boolean;
  /** Called after each step that changed the state. */
  readonly onChange: (state: SyncState, before: SyncState) => void;
  /** The offline copy belongs to an earlier life of the document. */
  readonly setAside: (epoch: number) => void;
  /** What is done to the document from now on is not to be kept. */
  readonly onReadOnly: () => void;
  /** The document changed without telling: whatever follows its events has missed something. */
  readonly onSilence: () => void;
  /** What a change is called on the device. */
  readonly nameOf: (change: Change) => string;
  /** Words stand under other ids than before: call `done` when the copy on the device knows. */
  readonly onMoved: (done: () => void) => void;
  /** Somebody tells something that nobody keeps. */
  readonly onBroadcast: (payload: string, user: User) => void;
  /** The document is the server's again, and the copy on the device holds what the server has refused. */
  readonly onAnew: () => void;
}

type Verb = (state: SyncState) => Step;

/** One document's session. Verbs that arrive while effects are being carried out wait for their turn. */
export class Session implements Receiver {
  private readonly parts: SessionParts;
  private readonly outgoing: Outgoing;
  private readonly watch: Watch;
  private readonly own = new OwnWords();
  private readonly verbs: Verb[] = [];
  private readonly timers = new Set<Timer>();
  /** Every row up to this one is in the document; null while that is not known. */
  private rows: number | null = null;
  /** The same, if acknowledged rows hold nothing but the page's own: a connection that is too slow is not told the rest. */
  private acknowledged = 0;
  private current: SyncState;
  /** Whether an editor may have seen something of the document's content. */
  private isShown = false;
  private running = false;
  /** What the server has said since the last join, until the next offer. */
  private told: Uint8Array[] = [];
  private key: string | null = null;
  /** The code that puts refused suggestions right, once it has come. */
  private settle: Settle | null = null;
  private suggestAnew: SuggestAnew | null = null;
  /** The id under which this page is known to the others. */
  private clientId: number;
  private detach: (() => void) | null = null;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.current = { ...startState, format: parts.format ?? null };
    this.outgoing = new Outgoing(parts.documentId, parts.connection);
    this.watch = new Watch(parts.doc, parts.clock, parts.isForeign, this.onUpdate, this.onSilence);
    if (parts.doc.clientID === SERVER_CLIENT_ID) parts.doc.clientID = new Y.Doc().clientID;
    this.clientId = parts.doc.clientID;
  }

  get state(): SyncState {
    return this.current;
  }

  /** The last row that the document has applied, the page's own included; null when that is not known. */
  get applied(): number | null {
    return this.rows === null ? null : Math.max(this.rows, this.acknowledged);
  }

  /** Begin to listen to the document. */
  start(): void {
    this.watch.start();
  }

  /** Whether the document is to be kept in step. */
  get isWanted(): boolean {
    return this.detach !== null;
  }

  /** Begin, or begin again, to keep the document in step over the connection. */
  connect(): void {
    this.step(sync.reopened);
    if (this.detach !== null) return;
    this.detach = this.parts.connection.attach(this.parts.documentId, this);
    this.linkChanged(this.parts.connection.link);
  }

  /** Send what was gathered, and leave the document. What changes from now on waits. */
  disconnect(): void {
    this.leave();
    this.parts.presence.left();
    this.step((state) => sync.linkChanged(state, "offline", null));
  }

  /** Send nothing: the page's editor does not know what will be in the document. */
  readonly onlyRead = (why: ReadOnly): void => this.step((state) => sync.onlyRead(state, why));

  /** The offline copy is in the document, with all rows up to `applied`: the join may go out, under this key. */
  begin(key: string, applied: number | null, copy: Parameters<typeof sync.copyRead>[1]): void {
    this.key = key;
    this.rows = applied;
    this.isShown = copy.filled;
    this.step((state) => sync.copyRead(state, copy));
  }

  /** Let somebody suggest anew what was refused and cannot be put right. What was refused before is tried again. */
  leaveMendingTo(suggestAnew: SuggestAnew | null): void {
    this.suggestAnew = suggestAnew;
    if (suggestAnew !== null) this.step(sync.mendAgain);
  }

  /** Leave for good. */
  stop(): void {
    this.watch.look(true);
    this.watch.stop();
    this.leave();
    for (const timer of this.timers) this.parts.clock.clearTimeout(timer);
    this.timers.clear();
  }

  private leave(): void {
    this.step(sync.gathered);
    if (this.current.link === "connected") this.ask("leave", [], () => {});
    this.detach?.();
    this.detach = null;
  }

  /** Take in what another tab of the device has told. */
  hearTab(message: TabMessage): void {
    const { clock, presence } = this.parts;
    if (message.kind === "saved") {
      const { counts } = message;
      const isSaved = (change: Change) => change.count <= (counts.get(this.parts.nameOf(change)) ?? 0);
      this.step((state) => sync.savedElsewhere(state, isSaved, clock.now()));
    }
    if (!sync.talksToTabs(this.current)) return;
    if (message.kind === "presence") presence.heardTab(message.clientId, message.state);
    if (message.kind === "heard") this.takeIn(message);
  }

  private takeIn(message: Heard): void {
    const { doc } = this.parts;
    const { epoch, pending } = this.current;
    if (epoch !== null && message.epoch !== null && epoch !== message.epoch) return;
    const { whole } = message;
    const own = new Set(inOrder(pending).map((change) => change.key === null && this.parts.nameOf(change)));
    const changes = message.changes.filter(({ key }) => !own.has(key));
    const updates = [...(whole === null ? [] : [whole.update]), ...changes.map(({ update }) => update)];
    const { schema } = this.parts;
    // The server would be asked first whether the page may write what it does not know.
    if (schema !== undefined && mayHoldUnknown(updates, schema)) return;
    Y.transact(
      doc,
      () => void updates.forEach((update) => void Y.applyUpdate(doc, update, this)),
      this,
      false,
    );
    this.isShown = true;
    if (whole !== null && whole.applied !== null) this.rows = Math.max(this.rows ?? 0, whole.applied);
    if (doc.clientID !== this.clientId) this.followClientId();
    this.step((state) => sync.heard(state, { ...message, changes }));
  }

  linkChanged(link: LinkStatus): void {
    if (link !== "connected") this.parts.presence.left();
    const { turnedAway } = this.parts.connection;
    this.step((state) => sync.linkChanged(state, link, turnedAway));
  }

  refused(error: ServerError): void {
    this.tell(error, sync.refusedByServer);
  }

  received(event: string, args: readonly unknown[]): void {
    try {
      this.hear(event, args);
    } catch (error) {
      if (!(error instanceof wire.WireError)) throw error;
      this.tell(error.message, sync.applyFailed);
    }
  }

  sendPresence(state: unknown, answered: (outcome: PresenceOutcome) => void): void {
    const outcome = (answer: Answer): PresenceOutcome => {
      if (answer.kind === "lost") return "again";
      const { error } = wire.read(answer.value, () => null);
      if (error === null) return "taken";
      return remedyForUpdate(error.code) === "later" ? "again" : error;
    };
    this.ask("presence", [{ state }], (answer) => answered(outcome(answer)), ANSWER_TIME);
  }

  /** Tell everybody else something that nobody keeps; null: they are being told. */
  broadcast(payload: string, answered: (error: ServerError | null) => void): void {
    this.ask(
      "broadcast",
      [new TextEncoder().encode(payload)],
      (answer) => answered(answer.kind === "lost" ? LOST : wire.read(answer.value, () => null).error),
      ANSWER_TIME,
    );
  }

  private hear(event: string, [first, second, third]: readonly unknown[]): void {
    switch (event) {
      case "update": {
        const [seq, updates] = [wire.natural(first, "seq"), decodeBatch(wire.bytes(second, "batch"))];
        this.tell({ seq, updates, heirs: wire.decodeHeirs(third) }, sync.received);
        break;
      }
      case "presence":
        this.parts.presence.hear(first);
        break;
      case "broadcast":
        this.parts.onBroadcast(
          new TextDecoder().decode(wire.bytes(first, "payload")),
          wire.decodeUser(second),
        );
        break;
      case "resync":
        this.acknowledged = 0;
        this.step(sync.resync);
        break;
      case "role":
        this.tell(wire.decodeRole(first), sync.roleChanged);
        if (this.current.role === "commenter") this.prepareMending();
        break;
      case "durability":
        this.tell(wire.decodeDurability(first), sync.durabilityChanged);
        break;
      case "document":
        this.tell(wire.decodeDocument(first), sync.documentChanged);
        break;
      case "access":
        this.step(sync.accessChanged);
        break;
      case "discussion":
        this.tell(wire.natural(first, "discussion"), sync.discussed);
        break;
      case "inbox":
        this.step(sync.inboxChanged);
        break;
      case "closed":
        this.tell(wire.decodeError(first), sync.closedByServer);
        break;
      default: // an event of a newer server
    }
  }

  private tell<T>(news: T, verb: (state: SyncState, news: T) => Step): void {
    this.step((state) => verb(state, news));
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown, transaction: Y.Transaction): void => {
    if (origin === this) return;
    this.own.wrote(transaction);
    const { applied } = this;
    this.step((state) => sync.changed(state, update, applied));
  };

  private readonly onSilence = (): void => {
    this.step(sync.changedSilently);
    this.parts.onSilence();
  };

  private step(verb: Verb): void {
    this.verbs.push(verb);
    if (this.running) return;
    this.running = true;
    try {
      for (let next = this.verbs.shift(); next !== undefined; next = this.verbs.shift()) this.take(next);
    } finally {
      this.running = false;
    }
  }

  private take(verb: Verb): void {
    const before = this.current;
    const { state, effects } = verb(before);
    this.current = state;
    if (state.attempt !== before.attempt || state.phase.kind === "apart") this.outgoing.reset();
    for (const effect of effects) {
      try {
        this.carryOut(effect);
      } catch (error) {
        // Whatever could not be applied, or compared with the server's word: the rest of the step relies on it.
        if (error instanceof Contradiction) this.verbs.push(sync.clientIdTaken);
        else if (error instanceof Strange) this.verbs.push((now) => sync.isStrange(now, error.unknown));
        else this.verbs.push((now) => sync.applyFailed(now, wire.sentence(error)));
        break;
      }
    }
    if (unsaved(state) === 0) this.own.settled();
    if (state !== before) this.parts.onChange(state, before);
  }

  private carryOut(effect: Effect): void {
    const { doc, presence, clock, gatherTime } = this.parts;
    switch (effect.kind) {
      case "join":
        this.join(effect.attempt, effect.epoch, effect.complete);
        break;
      case "fetch":
        this.fetch(effect.attempt, effect.index);
        break;
      case "authenticate":
        this.authenticate(effect.attempt, effect.error);
        break;
      case "apply":
        this.apply(effect);
        break;
      case "compare":
        if (!holds(doc, effect.stateVector))
          throw new Error("The server said that nothing is missing, and has more.");
        this.rows = Math.max(this.rows ?? 0, effect.seq);
        break;
      case "offer":
        this.offer(effect);
        break;
      case "send":
        this.send(effect.id, effect.after, effect.batch);
        break;
      case "gather":
        this.after(gatherTime, sync.gathered);
        break;
      case "retry":
        this.after(pauseBefore(effect.tries, clock.random()), (state) => sync.retry(state, effect.attempt));
        break;
      case "presence":
        presence.joined(effect.changes, effect.presenceId, this.current.limits.presence_bytes);
        break;
      case "renew_client_id":
        doc.clientID = new Y.Doc().clientID;
        this.followClientId();
        break;
      case "move_words":
        this.moveWords(effect.attempt, effect.stateVector, effect.foreign);
        break;
      case "only_read":
        this.parts.onReadOnly();
        break;
      case "set_aside":
        this.parts.setAside(effect.epoch);
        break;
    }
  }

  private apply({ seq, updates, heirs }: Extract<Effect, { kind: "apply" }>): void {
    const { doc } = this.parts;
    if (updates.some((update) => this.own.isContradictedBy(update, doc))) throw new Contradiction();
    this.checkUnknown(updates);
    let isRead = false;
    const applyAll = (transaction: Y.Transaction) => {
      if (heirs.length > 0) transaction.meta.set(HEIRS, heirs);
      const unsaved = () => firstClocksIn(unacknowledged(this.current).map(({ update }) => update));
      transaction.meta.set(UNSAVED, unsaved);
      for (const update of updates) Y.applyUpdate(doc, update, this);
      isRead = true;
      const { phase } = this.current;
      if (phase.kind === "joined" && phase.sending === "offering") this.told.push(...updates);
      // Whoever listens to the document may change it in answer to the row.
      this.rows = Math.max(this.rows ?? 0, seq);
    };
    try {
      Y.transact(doc, applyAll, this, false);
    } catch (error) {
      this.watch.look();
      if (!isRead) throw error;
      report(error); // somebody who listens to the document threw: its content is whole
    }
    if (doc.clientID !== this.clientId) {
      // Yjs takes another one when somebody else's words come under it.
      this.followClientId();
      this.step(sync.resync);
    }
  }

  /** Make sure that an editor whose schema is known sees nothing strange in a document that it could change for others. */
  private checkUnknown(updates: readonly Uint8Array[]): void {
    const { doc, schema, onReadOnly } = this.parts;
    const isFirst = !this.isShown;
    this.isShown = true;
    if (schema === undefined || !mayHoldUnknown(updates, schema)) return;
    const { readOnly } = this.current;
    if (readOnly !== null && readOnly.unknown.length > 0) return;
    const unknown = unknownIn(withUpdates(doc, updates), schema);
    if (unknown.length === 0) return;
    if (readOnly === null && !isFirst) throw new Strange(unknown);
    if (readOnly === null) onReadOnly();
    this.verbs.push((state) => sync.onlyRead(state, { ...(readOnly ?? readOnlyWithout(unknown)), unknown }));
  }

  private followClientId(): void {
    this.clientId = this.parts.doc.clientID;
    this.parts.presence.renew(this.clientId);
  }

  private moveWords(attempt: number, stateVector: Uint8Array, foreign: boolean): void {
    const { doc, onMoved } = this.parts;
    const from = this.own.toMove(doc, Y.decodeStateVector(stateVector), foreign);
    const moved = moveWords(doc, from);
    if (moved) this.own.settled();
    this.watch.accept();
    const done = (): void => this.step((state) => sync.wordsMoved(state, attempt, moved));
    if (moved && from.size > 0) onMoved(done);
    else done();
  }

  private join(attempt: number, epoch: number | null, complete: number | null): void {
    const { doc, link, format } = this.parts;
    this.told = [];
    const undoubted = this.own.undoubted(doc);
    const seen = undoubted ?? Y.encodeStateVector(doc);
    // Of tens of thousands of authors. Who cannot say what they have is sent all, and offers what the server lacks as ever.
    const isLong = seen.length > this.current.limits.part_bytes;
    const stateVector = isLong || this.current.mending !== null ? NOTHING_SEEN : seen;
    // An empty document belongs to no life: it may join any.
    const hasLife = epoch !== null && doc.store.clients.size > 0;
    // A state leaves without the deletions that the missing update tells: so that must come.
    const needsAll = undoubted !== null || this.current.adrift > 0;
    const saysSo = hasLife && complete !== null && !needsAll && !waitsForMore(doc);
    const after = hasLife && this.rows !== null && this.rows > 0 ? this.rows : null;
    const request = {
      state_vector: stateVector,
      client_id: doc.clientID,
      ...(this.key === null ? {} : { key: this.key }),
      ...(link === undefined ? {} : { link }),
      ...(hasLife ? { epoch } : {}),
      ...(saysSo ? { seq: complete } : {}),
      ...(after === null ? {} : { after }),
      ...(format === undefined ? {} : { format }),
    };
    const known = saysSo ? { stateVector, limits: this.current.limits } : null;
    const decode = (value: unknown) => wire.decodeJoinAnswer(value, known);
    this.askForSession(attempt, ["join", request], decode, (answer) => {
      if (answer.role === "commenter") this.prepareMending();
      this.step((state) => sync.joined(state, attempt, answer));
    });
  }

  private prepareMending(): void {
    import("./anew.js").then(
      ({ settling }) => {
        if (this.settle !== null) return;
        this.settle = settling(this.parts.doc, this, this.begunAnew);
        if (this.suggestAnew !== null) this.step(sync.mendAgain);
      },
      () => {}, // the code has not come: what is refused is left to the person
    );
  }

  private authenticate(attempt: number, error: ServerError): void {
    const verbs: Record<Authentication, Verb> = {
      authenticated: (state) => sync.authenticated(state, attempt),
      refused: (state) => sync.authenticationRefused(state, attempt, error),
      lost: (state) => sync.authenticationLost(state, attempt),
    };
    this.parts.connection.authenticate((outcome) => this.step(verbs[outcome]));
  }

  private fetch(attempt: number, index: number): void {
    this.askForSession(attempt, ["fetch", { index }], wire.decodeChunk, (part) =>
      this.step((state) => sync.fetched(state, attempt, index, part)),
    );
  }

  /** Look at the changes in this step's turn: what was changed while the missing update was applied is among them then. */
  private offer({ attempt, stateVector, rows, salvage }: Extract<Effect, { kind: "offer" }>): void {
    const { doc } = this.parts;
    const seen = Y.decodeStateVector(stateVector);
    for (const update of rows.flatMap(({ updates }) => updates)) {
      for (const [client, end] of Y.parseUpdateMeta(update).to)
        seen.set(client, Math.max(end, seen.get(client) ?? 0));
    }
    this.step((state) => {
      // Unless the page joins again already: then it is not known any more what the server has.
      if (state.mending !== null && attempt === state.attempt) {
        const settled = this.settle?.(this.told, state.strikes?.count ?? 0, this.suggestAnew);
        if (settled === "anew") return sync.begunAnew(state);
        if (settled !== "mended") return sync.notMended(state);
      }
      const sorted = sortOut(inOrder(state.pending).map(sealed), seen);
      const hasMore = state.adrift > 0 || sorted.left.length > 0 || reachesBeyond(doc, sorted.reach);
      const encode = salvage ? encodeOrDrop : Y.encodeStateAsUpdate;
      try {
        const encoded = hasMore ? encode(doc, Y.encodeStateVector(new Map(sorted.reach))) : null;
        const rest = encoded === null ? null : withoutKnown(encoded, this.told);
        this.told = [];
        return sync.offered(state, attempt, sorted, rest);
      } catch (error) {
        return sync.applyFailed(state, wire.sentence(error));
      }
    });
  }

  /** The document is the server's: nothing of the page's is in doubt, and it goes on under another id. */
  private readonly begunAnew = (): void => {
    this.told = [];
    this.own.settled();
    this.followClientId();
    this.watch.accept();
    this.parts.onAnew();
  };

  private send(id: number, after: number | null, batch: Uint8Array): void {
    this.own.sending(id);
    this.outgoing.send({ after, batch }, this.current.limits.part_bytes, (answer) => {
      if (answer.kind === "lost") return; // the link says so too
      const outcome = wire.read(answer.value, wire.decodeSeq);
      if (outcome.error === null) this.own.acknowledged(id);
      this.step((state) =>
        outcome.error === null
          ? sync.acknowledged(state, id, outcome.value, this.parts.clock.now())
          : sync.refused(state, id, outcome.error),
      );
      const { phase } = this.current;
      if (outcome.error === null && phase.kind === "joined") this.acknowledged = phase.seq;
    });
  }

  /** Ask for something without which there is no session. */
  private askForSession<T>(
    attempt: number,
    [event, argument]: readonly [string, unknown],
    decode: (value: unknown) => T,
    use: (value: T) => void,
  ): void {
    const answered = (answer: Answer): void => {
      if (answer.kind === "lost") {
        this.step((state) => sync.joinLost(state, attempt));
        return;
      }
      const outcome = wire.read(answer.value, decode);
      if (outcome.error === null) use(outcome.value);
      else this.step((state) => sync.joinRefused(state, attempt, outcome.error));
    };
    this.ask(event, [argument], answered, ANSWER_TIME);
  }

  private ask(
    event: string,
    args: readonly unknown[],
    answered: (answer: Answer) => void,
    timeout?: number,
  ): void {
    this.parts.connection.request(event, [this.parts.documentId, ...args], answered, timeout);
  }

  private after(delay: number, verb: Verb): void {
    const timer = this.parts.clock.setTimeout(() => {
      this.timers.delete(timer);
      this.step(verb);
    }, delay);
    this.timers.add(timer);
  }
}

/** The server's log holds somebody else's words where this page has written its own. */
class Contradiction extends Error {}

/** What the server sent holds something that the editor would delete. */
class Strange extends Error {
  constructor(readonly unknown: readonly string[]) {
    super();
  }
}

function holds(doc: Y.Doc, stateVector: Uint8Array): boolean {
  return [...Y.decodeStateVector(stateVector)].every(
    ([client, clock]) => clock <= Y.getState(doc.store, client),
  );
}

/** Whether the document has received what it cannot put in its place before something else has come. */
function waitsForMore(doc: Y.Doc): boolean {
  return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}
