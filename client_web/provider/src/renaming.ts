/**
 * Words that go on under another client id, because the id they were written under is somebody else's on the server.
 *
 * The document keeps its objects: items get other ids in place, so that an editor stays bound and the caret where it is.
 *
 * 1. Nobody else has these items, so nobody points at them: what points at them is in this document.
 * 2. Ids also order what several people inserted at the same place. The new id is therefore the old one's direct
 *    neighbour: every other id is greater or less than it just as before. The lower one is tried first, because an item
 *    of the old id that is saved already compares with the moved one as an equal id does ("less than" is false).
 * 3. The new id is for these words alone: the page writes on under a random one, since neighbours can be guessed. Two
 *    tabs of one device that move the same words move them to the same ids, and the server takes them once.
 */

import * as Y from "yjs";
import { SERVER_CLIENT_ID } from "./heirs.js";

type Clocks = ReadonlyMap<number, number>;

interface Move {
  readonly to: number;
  /** The first clock that moves; it becomes 0. */
  readonly from: number;
}

/**
 * What this page has written, by client id, as far as the server may not hold it.
 *
 * The server may hold somebody else's words under these ids; clocks alone do not show that. So the page says to lack its own
 * words as long as they are in doubt, and compares what comes back.
 */
export class OwnWords {
  private readonly from = new Map<number, number>();
  /** Ids under which the server has taken something: they are nobody else's. */
  private readonly proven = new Set<number>();
  private readonly sent = new Map<number, readonly number[]>();

  /** The document has changed by the page's own hand. Somebody else's words that come by another way are not its own. */
  wrote({ doc, local, beforeState }: Y.Transaction): void {
    const { clientID } = doc;
    if (!local || this.from.has(clientID)) return;
    const before = beforeState.get(clientID) ?? 0;
    if (Y.getState(doc.store, clientID) > before) this.from.set(clientID, before);
  }

  sending(batch: number): void {
    this.sent.set(batch, [...this.from.keys()]);
  }

  acknowledged(batch: number): void {
    for (const clientId of this.sent.get(batch) ?? []) this.proven.add(clientId);
    this.sent.delete(batch);
  }

  /** Nothing of the page's is in doubt any more: it is durable on the server, or has moved. */
  settled(): void {
    this.from.clear();
    this.sent.clear();
  }

  /** The document's state vector without the words in doubt; null when there are none. */
  undoubted(doc: Y.Doc): Uint8Array | null {
    const doubtful = this.doubtful();
    if (doubtful.length === 0) return null;
    return Y.encodeStateVector(new Map([...Y.decodeStateVector(Y.encodeStateVector(doc)), ...doubtful]));
  }

  /** Whether an update brings words under an id of the page's that are not the page's. If not, those it brings are in no doubt. */
  isContradictedBy(update: Uint8Array, doc: Y.Doc): boolean {
    const doubtful = this.doubtful();
    if (doubtful.length === 0) return false;
    const { to } = Y.parseUpdateMeta(update);
    const met = doubtful.filter(([clientId]) => to.has(clientId));
    if (met.length === 0) return false;
    const { structs } = Y.decodeUpdate(update);
    if (
      met.some(([clientId]) => structs.some((struct) => struct.id.client === clientId && !isIn(doc, struct)))
    ) {
      return true;
    }
    for (const [clientId, first] of met) this.from.set(clientId, Math.max(first, to.get(clientId) ?? 0));
    return false;
  }

  /** From which clock on words have to move; `foreign`: those that the page has not written itself too. */
  toMove(doc: Y.Doc, stateVector: Clocks, foreign: boolean): Clocks {
    const found = new Map<number, number>();
    for (const clientId of doc.store.clients.keys()) {
      const held = stateVector.get(clientId) ?? 0;
      const written = this.proven.has(clientId) ? undefined : this.from.get(clientId);
      if (written === undefined && !foreign) continue;
      const first = Math.min(written ?? held, held);
      if (Y.getState(doc.store, clientId) > first) found.set(clientId, first);
    }
    return found;
  }

  private doubtful(): readonly (readonly [number, number])[] {
    return [...this.from].filter(([clientId]) => !this.proven.has(clientId));
  }
}

/** Whether the document holds the same under a struct's ids, as far as that is to be seen: texts, and where they were written. */
function isIn(doc: Y.Doc, struct: ReturnType<typeof Y.decodeUpdate>["structs"][number]): boolean {
  if (!(struct instanceof Y.Item) && !(struct instanceof Y.GC)) return true; // a gap
  const { client, clock } = struct.id;
  if (clock + struct.length > Y.getState(doc.store, client)) return false;
  const first = Y.getItem(doc.store, struct.id);
  if (!(struct instanceof Y.Item) || !(first instanceof Y.Item)) return true;
  const origin = first.id.clock < clock ? Y.createID(client, clock - 1) : first.origin;
  if (!Y.compareIDs(origin, struct.origin)) return false;
  return !(struct.content instanceof Y.ContentString) || textIn(doc, struct.id, struct.content.str);
}

function textIn(doc: Y.Doc, { client, clock }: Y.ID, text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const item = Y.getItem(doc.store, Y.createID(client, clock + at));
    const skipped = clock + at - item.id.clock;
    const end = at + item.length - skipped;
    // What is deleted here has no content to compare any more.
    if (item instanceof Y.Item && !item.deleted) {
      if (!(item.content instanceof Y.ContentString)) return false;
      const { str } = item.content;
      if (!str.slice(skipped).startsWith(text.slice(at, end))) return false;
    }
    at = end;
  }
  return true;
}

/** Move the items of each client id from a clock on; false, and nothing has changed, when there is no id for them. */
export function moveWords(doc: Y.Doc, from: Clocks): boolean {
  const taken = new Set([...doc.store.clients.keys(), doc.clientID, SERVER_CLIENT_ID]);
  const moves = new Map<number, Move>();
  for (const [clientId, first] of from) {
    const to = [clientId - 1, clientId + 1].find((id) => id >= 0 && !taken.has(id));
    if (to === undefined) return false;
    taken.add(to);
    moves.set(clientId, { to, from: first });
  }
  for (const [clientId, move] of moves) moveStructs(doc, clientId, move);
  for (const structs of doc.store.clients.values()) for (const struct of structs) redirect(struct, moves);
  return true;
}

function moveStructs(doc: Y.Doc, clientId: number, { to, from }: Move): void {
  const { clients } = doc.store;
  const structs = clients.get(clientId) ?? [];
  splitAt(doc, structs, clientId, from);
  const moved = structs.splice(Y.findIndexSS(structs, from));
  if (structs.length === 0) clients.delete(clientId);
  for (const struct of moved) struct.id = Y.createID(to, struct.id.clock - from);
  clients.set(to, moved);
}

/** Make a struct begin at this clock. */
function splitAt(doc: Y.Doc, structs: (Y.GC | Y.Item)[], clientId: number, clock: number): void {
  const index = Y.findIndexSS(structs, clock);
  const struct = structs[index];
  if (struct === undefined || struct.id.clock === clock) return;
  if (struct instanceof Y.Item) {
    doc.transact((transaction) => {
      // Yjs' way to split, which its releases before 13.6.27 have as well: it walks from here to the item's end.
      const rest = Y.createDeleteSet();
      rest.clients.set(clientId, [{ clock, len: struct.id.clock + struct.length - clock }]);
      Y.iterateDeletedStructs(transaction, rest, () => {});
      transaction._mergeStructs.length = 0; // its end would put the halves together again
    });
    return;
  }
  const kept = clock - struct.id.clock;
  structs.splice(index + 1, 0, new Y.GC(Y.createID(clientId, clock), struct.length - kept));
  struct.length = kept;
}

function redirect(struct: Y.GC | Y.Item, moves: ReadonlyMap<number, Move>): void {
  if (!(struct instanceof Y.Item)) return;
  struct.origin = movedId(struct.origin, moves);
  struct.rightOrigin = movedId(struct.rightOrigin, moves);
  struct.redone = movedId(struct.redone, moves);
}

function movedId(id: Y.ID | null, moves: ReadonlyMap<number, Move>): Y.ID | null {
  const move = id === null ? undefined : moves.get(id.client);
  if (id === null || move === undefined || id.clock < move.from) return id;
  return Y.createID(move.to, id.clock - move.from);
}
