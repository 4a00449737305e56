/** A server in memory that keeps the protocol's promises for one document, and lines to it that tests can cut. */

import * as Y from "yjs";
import { decodeBatch, encodeBatch } from "../../src/batch.js";
import type { Answer, Authentication, Connection, Receiver } from "../../src/connection.js";
import { knows } from "../../src/format.js";
import type { Heirs } from "../../src/heirs.js";
import type { LinkStatus } from "../../src/state.js";
import type { ErrorCode, Format, LocalUser, ServerError } from "../../src/types.js";
import { asRecord, concatenate, emptyUpdate, sameBytes } from "./bytes.js";

/** The answer comes when the batch is durable. */
const later = Symbol("later");

type Reply = (value: unknown) => void;

/** Whoever broadcasts, by the server's word. */
const BOB = { id: "u1", name: "Bob", color: "#b3261e" };

interface Waiting {
  readonly line: Line;
  readonly batch: Uint8Array;
  readonly after: number | null;
  readonly reply: Reply;
}

export class DummyServer {
  epoch = 1;
  rows: Uint8Array[] = [];
  role = "editor";
  /** Lines of people who may do something else. */
  readonly roles = new Map<Line, string>();
  /** Whether what a commenter sends is a suggestion, by the document before and after; null takes everything. */
  judge: ((line: Line, before: Y.Doc, after: Y.Doc) => boolean) | null = null;
  quarantined = false;
  setAside = 0;
  partBytes = 256 * 1024;
  /** The format of the root `default`, and whether pages of other formats may write it. */
  format: Format | null = null;
  anyFormat = false;
  /** Whether the next changes of the format reach the pages that are here. */
  tellsFormat = true;
  private readonly declared = new Map<Line, Format | null>();
  /** What every join brings instead of the truth. */
  damage: Uint8Array | null = null;
  /** Refusals to give to the next updates or joins, whatever is in them. */
  readonly refuseUpdates: ErrorCode[] = [];
  readonly refuseJoins: ErrorCode[] = [];
  /** Client ids that are somebody else's: nobody on a line may join or write under them. */
  readonly taken = new Set<number>();
  /** Every join request as it came. */
  readonly joins: Readonly<Record<string, unknown>>[] = [];
  readonly lines: Line[] = [];
  readonly presenceFrom = new Map<Line, unknown>();
  private accepted = new Y.Doc();
  private waiting: Waiting[] = [];
  private readonly joined = new Set<Line>();
  /** Lines too slow to be sent rows until they have joined again; they are answered all the same. */
  readonly behind = new Set<Line>();
  /** Every answer to a join that brought nothing because nothing was missing. */
  readonly briefly: Readonly<Record<string, unknown>>[] = [];
  private readonly announced = new Map<Line, Uint8Array>();
  private readonly uploads = new Map<Line, Uint8Array>();
  updatesTaken = 0;
  /** Every update that clients sent and that became durable, in order; `after` is null if its batch did not say. */
  readonly heard: { readonly update: Uint8Array; readonly after: number | null }[] = [];
  /** What the next joins say of characters that live on under other ids. */
  heirs: Heirs = [];

  /** The document as the log says. */
  stored(): Y.Doc {
    const doc = new Y.Doc();
    for (const row of this.rows) for (const update of decodeBatch(row)) takeIn(doc, update);
    return doc;
  }

  text(): string {
    return this.stored().getText("t").toString();
  }

  /** Make what waits durable, up to `most` batches in one row; then tell the others and acknowledge, as a room does. */
  commit(most = Number.POSITIVE_INFINITY): void {
    const row = this.waiting.splice(0, most);
    if (row.length === 0) return;
    const batch = concatenate(row.map((one) => one.batch));
    this.rows.push(batch);
    for (const one of row) {
      for (const update of decodeBatch(one.batch)) this.heard.push({ update, after: one.after });
    }
    const seq = this.rows.length;
    const authors = new Set(row.map((one) => one.line));
    for (const line of this.joined) {
      const listens = !this.behind.has(line);
      if (listens && (authors.size > 1 || !authors.has(line))) line.tell("update", seq, batch);
    }
    for (const one of row) one.reply({ seq });
  }

  /** Whether anybody has written under a client id. */
  knows(clientId: number): boolean {
    return Y.getState(this.accepted.store, clientId) > 0;
  }

  /** Make an update durable that came over another node, and tell everybody. */
  hearFromElsewhere(update: Uint8Array, heirs: Heirs = []): void {
    takeIn(this.accepted, update);
    this.rows.push(encodeBatch([update]));
    const moved = heirs.length > 0 ? [heirs] : [];
    this.say("update", this.rows.length, this.rows.at(-1), ...moved);
  }

  commitEach(): void {
    while (this.waiting.length > 0) this.commit(1);
  }

  /** Die with everything that is not in the log. */
  crash(): void {
    this.waiting = [];
    this.accepted = this.stored();
    for (const line of this.lines) line.drop();
  }

  /** Restore another history: a new life of the document. */
  restore(rows: Uint8Array[]): void {
    this.rows = rows;
    this.epoch += 1;
    this.crash();
  }

  say(event: string, ...args: readonly unknown[]): void {
    for (const line of this.joined) line.tell(event, ...args);
  }

  /** A slow line has taken in what lay on it: it is asked to join again. */
  drained(line: Line): void {
    if (this.behind.has(line)) line.tell("resync");
  }

  /** Lose the next row's event on its way to a line that stays joined. */
  forgetToTell(line: Line, change: () => void): void {
    this.joined.delete(line);
    change();
    this.joined.add(line);
  }

  forget(line: Line): void {
    this.joined.delete(line);
    this.behind.delete(line);
    this.announced.delete(line);
    this.uploads.delete(line);
    this.presenceFrom.delete(line);
  }

  hear(line: Line, event: string, args: readonly unknown[], reply: Reply): void {
    const answer = this.answer(line, event, args, reply);
    if (answer !== later) reply(answer);
  }

  private answer(line: Line, event: string, args: readonly unknown[], reply: Reply): unknown {
    const options = asRecord(args[1]);
    switch (event) {
      case "join":
        return this.join(line, options);
      case "fetch":
        return { chunk: this.chunk(line, (options.index as number) * this.partBytes) };
      case "update":
        return this.take(line, args.at(-1) as Uint8Array, args.length > 2 ? Number(args[1]) : null, reply);
      case "upload":
        return this.takePart(line, options, args[2] as Uint8Array, reply);
      case "presence":
        this.presenceFrom.set(line, options.state);
        return {};
      case "broadcast":
        if (this.role === "viewer") return refusalOf("forbidden");
        for (const other of this.joined) if (other !== line) other.tell("broadcast", args[1], BOB);
        return {};
      case "leave":
        this.forget(line);
        return {};
      default:
        return refusalOf("unknown_event");
    }
  }

  private chunk(line: Line, start: number): Uint8Array {
    return (this.announced.get(line) ?? emptyUpdate).slice(start, start + this.partBytes);
  }

  private join(line: Line, request: Readonly<Record<string, unknown>>): unknown {
    this.joins.push(request);
    const refusal = this.refuseJoins.shift();
    if (refusal !== undefined) return refusalOf(refusal);
    if (this.taken.has(request.client_id as number)) return refusalOf("client_id_taken");
    if (request.epoch !== undefined && request.epoch !== this.epoch) {
      return { ...refusalOf("epoch_changed"), epoch: this.epoch };
    }
    this.joined.add(line);
    this.declared.set(line, (request.format ?? null) as Format | null);
    this.behind.delete(line);
    const stored = this.stored();
    if (request.epoch !== undefined && request.seq === this.rows.length)
      return this.brief(line, stored, request.state_vector as Uint8Array);
    const missing = this.damage ?? Y.encodeStateAsUpdate(stored, request.state_vector as Uint8Array);
    const whole = missing.length <= this.partBytes;
    this.announced.set(line, missing);
    return {
      ...this.entry(line),
      missing: whole ? missing : null,
      chunks: whole ? null : { count: Math.ceil(missing.length / this.partBytes), bytes: missing.length },
      state_vector: Y.encodeStateVector(stored),
      durability: "ok",
      quarantined: this.quarantined,
      set_aside: this.setAside,
      limits: { update_bytes: 2 ** 24, part_bytes: this.partBytes, presence_bytes: 4096 },
      ...(this.heirs.length > 0 ? { heirs: this.heirs } : {}),
    };
  }

  private brief(line: Line, stored: Y.Doc, asked: Uint8Array): unknown {
    const stateVector = Y.encodeStateVector(stored);
    const answer = {
      ...this.entry(line),
      missing: null,
      ...(sameBytes(stateVector, asked) ? {} : { state_vector: stateVector }),
      ...(this.quarantined ? { quarantined: true } : {}),
      ...(this.setAside > 0 ? { set_aside: this.setAside } : {}),
    };
    this.briefly.push(answer);
    return answer;
  }

  private roleOf(line: Line): string {
    return this.roles.get(line) ?? this.role;
  }

  /** Give one person another role while they are here. */
  give(line: Line, role: string): void {
    this.roles.set(line, role);
    line.tell("role", role);
  }

  /** What every answer to a join says. */
  private entry(line: Line) {
    const { epoch } = this;
    const role = this.roleOf(line);
    return { role, seq: this.rows.length, epoch, presence: [], presence_id: 1, document: this.entryOf() };
  }

  private entryOf() {
    const { format, anyFormat } = this;
    return {
      title: "Plan",
      trashed_at: null,
      ...(format === null ? {} : { format }),
      ...(anyFormat ? { any_format: true } : {}),
    };
  }

  /** Set the format as another page's first edit does, and tell everybody who is here. */
  setFormat(format: Format | null, anyFormat = false): void {
    this.format = format;
    this.anyFormat = anyFormat;
    if (this.tellsFormat) this.say("document", this.entryOf());
  }

  /** The rich text as the log says. */
  page(): string {
    return this.stored().getXmlFragment("default").toString();
  }

  private takePart(
    line: Line,
    place: Readonly<Record<string, unknown>>,
    part: Uint8Array,
    reply: Reply,
  ): unknown {
    const before = place.offset === 0 ? new Uint8Array() : (this.uploads.get(line) ?? new Uint8Array());
    const whole = concatenate([before, part]);
    this.uploads.set(line, whole);
    if (place.offset !== before.length || part.length > this.partBytes) return refusalOf("malformed");
    if (whole.length < (place.total as number)) return { received: whole.length };
    this.uploads.delete(line);
    return this.take(line, whole, place.after === undefined ? null : Number(place.after), reply);
  }

  private writesUnderTakenId(batch: Uint8Array): boolean {
    const isNew = ([client, clock]: [number, number]) => clock > Y.getState(this.accepted.store, client);
    return decodeBatch(batch).some((update) =>
      [...Y.parseUpdateMeta(update).to].some((end) => this.taken.has(end[0]) && isNew(end)),
    );
  }

  private take(line: Line, batch: Uint8Array, after: number | null, reply: Reply): unknown {
    const refusal = this.joined.has(line) ? this.refuseUpdates.shift() : "not_joined";
    if (refusal !== undefined) return refusalOf(refusal);
    if (this.writesUnderTakenId(batch)) return refusalOf("client_id_taken");
    const trial = new Y.Doc();
    takeIn(trial, Y.encodeStateAsUpdate(this.accepted));
    for (const update of decodeBatch(batch)) takeIn(trial, update);
    if (trial.store.pendingStructs !== null || trial.store.pendingDs !== null) {
      return refusalOf("missing_past");
    }
    const declared = this.declared.get(line) ?? null;
    const [before, then] = [this.accepted, trial].map((doc) => doc.getXmlFragment("default").toString());
    if (before !== then && !this.anyFormat && !knows(declared, this.format)) return refusalOf("other_format");
    if (declared !== null && knows(declared, this.format) && declared.version !== this.format?.version) {
      this.setFormat(declared, this.anyFormat);
    }
    if (this.roleOf(line) === "commenter" && this.judge?.(line, this.accepted, trial) === false) {
      return refusalOf("not_a_suggestion");
    }
    this.accepted = trial;
    this.updatesTaken += 1;
    this.waiting.push({ line, batch, after, reply });
    return later;
  }
}

/** As the real server: in a transaction of others, Yjs would clear away formats, and nobody else would hear of that. */
function takeIn(doc: Y.Doc, update: Uint8Array): void {
  doc.transact(() => Y.applyUpdate(doc, update));
}

function refusalOf(code: ErrorCode): { readonly error: ServerError } {
  return { error: { code, message: `This is ${code}.` } };
}

/** One client's connection: messages lie on it in both directions until the test lets them arrive. */
export class Line implements Connection {
  link: LinkStatus = "offline";
  turnedAway: ServerError | null = null;
  private readonly server: DummyServer;
  private receiver: Receiver | null = null;
  private up: (() => void)[] = [];
  private down: (() => void)[] = [];
  private readonly awaiting = new Set<(answer: Answer) => void>();
  /** The names of the events that this client sent. */
  readonly sent: string[] = [];
  /** What comes of the next fresh tokens; without any there are no tokens. */
  readonly authentications: Authentication[] = [];

  constructor(server: DummyServer) {
    this.server = server;
    server.lines.push(this);
  }

  connect(): void {
    this.setLink("connected");
  }

  /** Cut the line: what lies on it is lost, in both directions. */
  drop(): void {
    this.up = [];
    this.down = [];
    this.server.forget(this);
    for (const answered of [...this.awaiting]) answered({ kind: "lost" });
    this.setLink("offline");
  }

  /** Let one message arrive; false when there is none. */
  arriveUp(): boolean {
    return arrive(this.up);
  }

  arriveDown(): boolean {
    return arrive(this.down);
  }

  tell(event: string, ...args: readonly unknown[]): void {
    this.down.push(() => this.receiver?.received(event, args));
  }

  attach(_documentId: string, receiver: Receiver): () => void {
    this.receiver = receiver;
    return () => {
      this.receiver = null;
    };
  }

  request(event: string, args: readonly unknown[], answered: (answer: Answer) => void): void {
    if (this.link !== "connected") {
      answered({ kind: "lost" });
      return;
    }
    this.sent.push(event);
    const settle = (answer: Answer) => {
      if (this.awaiting.delete(settle)) answered(answer);
    };
    this.awaiting.add(settle);
    const reply = (value: unknown) => this.down.push(() => settle({ kind: "answered", value }));
    this.up.push(() => this.server.hear(this, event, args, reply));
  }

  setUser(_user: LocalUser): void {}

  authenticate(answered: (outcome: Authentication) => void): void {
    if (this.link !== "connected") {
      answered("lost");
      return;
    }
    this.sent.push("authenticate");
    const outcome = this.authentications.shift() ?? "refused";
    this.up.push(() => this.down.push(() => answered(outcome)));
  }

  reconnectNow(): void {
    this.connect();
  }

  /** Turn the person away at the door. */
  refuse(error: ServerError): void {
    this.receiver?.refused(error);
  }

  /** Take no connection for now, and say why. */
  turnAway(error: ServerError): void {
    this.turnedAway = error;
    this.receiver?.linkChanged(this.link);
  }

  private setLink(link: LinkStatus): void {
    this.link = link;
    this.turnedAway = null;
    this.receiver?.linkChanged(link);
  }
}

function arrive(messages: (() => void)[]): boolean {
  const message = messages.shift();
  message?.();
  return message !== undefined;
}
