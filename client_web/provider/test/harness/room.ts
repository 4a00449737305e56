/** People in one document: sessions on lines to a DummyServer, in the words of a story. */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { type KeptChange, updateOf } from "../../src/changes.js";
import type { Knowledge } from "../../src/offline.js";
import { Presence } from "../../src/presence.js";
import { Session } from "../../src/session.js";
import { type SyncState, unacknowledged, unsaved, untold } from "../../src/state.js";
import type { SuggestAnew } from "../../src/types.js";
import { ManualClock } from "./clock.js";
import { DummyServer, Line } from "./server.js";

/** More than any pause of the back-off. */
const LONG = 40_000;

export class Person {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  readonly line: Line;
  readonly setAside: number[] = [];
  /** How often the document was found to have changed without telling. */
  mended = 0;
  /** How often the document has become the server's again. */
  anew = 0;
  private readonly session: Session;
  private readonly awareness: Awareness;

  /** Whether the page keeps nothing more on the device. */
  keepsNothing = false;

  constructor(
    server: DummyServer,
    clock: ManualClock,
    link?: string,
    doc = new Y.Doc(),
    knowledge: Knowledge = {},
  ) {
    this.doc = doc;
    this.text = doc.getText("t");
    this.awareness = new Awareness(doc);
    this.line = new Line(server);
    const presence = new Presence(this.awareness, clock, (_state, answered) => answered("taken"));
    this.session = new Session({
      documentId: "document",
      doc: this.doc,
      connection: this.line,
      clock,
      presence,
      gatherTime: 30,
      ...(link === undefined ? {} : { link }),
      ...knowledge,
      isForeign: (origin) => origin === "copy",
      onChange: () => {},
      setAside: (epoch) => this.setAside.push(epoch),
      onReadOnly: () => {
        this.keepsNothing = true;
      },
      onSilence: () => {
        this.mended += 1;
      },
      onMoved: (done) => done(),
      onAnew: () => {
        this.anew += 1;
      },
      nameOf: ({ id }) => String(id),
      onBroadcast: () => {},
    });
    this.session.start();
    this.session.connect();
  }

  get state(): SyncState {
    return this.session.state;
  }

  get unsaved(): number {
    return unsaved(this.state);
  }

  leavesMendingTo(suggestAnew: SuggestAnew): void {
    this.session.leaveMendingTo(suggestAnew);
  }

  get applied(): number | null {
    return this.session.applied;
  }

  /** The changes that this page leaves on the device. */
  kept(): readonly KeptChange[] {
    return unacknowledged(this.state).map((change) => ({
      key: change.key ?? `changes/${this.doc.clientID}/${change.id}`,
      after: change.after,
      count: change.count,
      update: updateOf(change),
    }));
  }

  /** Open the page, with what another page of the same person left on the device; the copy of an old release has no changes. */
  opens(before?: Person, isOldCopy = false): this {
    const left = before === undefined ? null : Y.encodeStateAsUpdate(before.doc);
    if (left !== null) Y.applyUpdate(this.doc, left, "copy");
    const applied = before === undefined ? 0 : before.applied;
    this.session.begin("0123456789abcdef", isOldCopy ? null : applied, {
      filled: left !== null,
      dirty: before !== undefined && (isOldCopy ? before.unsaved : untold(before.state)) > 0,
      changes: isOldCopy ? [] : (before?.kept() ?? []),
      epoch: before?.state.epoch ?? null,
      document: null,
    });
    return this;
  }

  types(words: string, at = this.text.length): this {
    this.text.insert(Math.min(at, this.text.length), words);
    return this;
  }

  deletes(at: number, length: number): this {
    this.text.delete(at, length);
    return this;
  }

  says(): string {
    return this.text.toString();
  }

  /** Close the page without a goodbye. */
  vanishes(): void {
    this.line.drop();
    this.session.stop();
    this.awareness.destroy();
  }
}

export class Room {
  readonly clock: ManualClock;
  readonly server = new DummyServer();
  readonly people: Person[] = [];

  constructor(chance?: () => number) {
    this.clock = new ManualClock(chance);
  }

  /** Somebody with an open page, connected and up to date. */
  joins(): Person {
    const person = this.opens();
    person.line.connect();
    this.settle();
    return person;
  }

  /** Somebody with an open page that is not connected yet. */
  opens(before?: Person, link?: string, isOldCopy = false, doc = new Y.Doc()): Person {
    const person = new Person(this.server, this.clock, link, doc).opens(before, isOldCopy);
    this.people.push(person);
    return person;
  }

  /** Close a page and open it again on the same device. */
  reloads(person: Person, isOldCopy = false): Person {
    person.vanishes();
    this.people.splice(this.people.indexOf(person), 1);
    return this.opens(person, undefined, isOldCopy);
  }

  /** Let every message arrive, without time passing or anything becoming durable. */
  deliver(): void {
    let moved = true;
    while (moved) {
      moved = false;
      for (const { line } of this.people) moved = line.arriveUp() || line.arriveDown() || moved;
    }
  }

  /** Let the gathering end, everything arrive and become durable. */
  settle(): void {
    for (let round = 0; round < 4; round++) {
      this.clock.advance(30);
      this.deliver();
      this.server.commitEach();
      this.deliver();
    }
  }

  /** As `settle`, after everybody is connected again and every pause is over. */
  recover(): void {
    for (const { line } of this.people) if (line.link !== "connected") line.connect();
    for (let round = 0; round < 4; round++) {
      this.settle();
      this.clock.advance(LONG);
    }
    this.settle();
  }

  /** Every replica's words, and the log's; the same word once. */
  words(): readonly string[] {
    return [...new Set([this.server.text(), ...this.people.map((person) => person.says())])];
  }
}
