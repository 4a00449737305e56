/** One's own words that died with a block which somebody else has rebuilt, until they come back.
 *
 * The server writes such words again, a round trip later. Until then the editor shows them where
 * they will come, beside its document: they are a decoration, and carets stand behind them. Only
 * words that the server has not acknowledged wait, because their author alone knew of them.
 */

import type { Mark, Node, Schema } from "prosemirror-model";
import { Decoration, DecorationSet } from "prosemirror-view";
import * as Y from "yjs";
import { heirsIn, lastReturned, livingOf, type Returned, withReturned } from "./heirs.js";
import { formatsOf } from "./marks.js";
import { type Nodes, positionOf } from "./positions.js";

/** Characters of one client in a row. */
export interface Run {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
}

interface Word {
  readonly id: Y.ID;
  readonly text: string;
  readonly marks: readonly Mark[];
  /** What stood beside the word in its text, the nearest run first. */
  readonly left: readonly Run[];
  readonly right: readonly Run[];
}

/** The place where a word is shown: behind a character that lives, or before one. */
interface Place {
  readonly id: Y.ID;
  readonly isBehind: boolean;
}

/** Milliseconds after which a word is not shown any longer: the server could not bring it back. */
const LONGEST_WAIT = 10_000;
const MOST_RUNS = 200;

export class Pending {
  readonly #doc: Y.Doc;
  #words: readonly Word[] = [];
  readonly #places = new Map<Word, Place | null>();
  /** What has come back while others waited. */
  #returned: Returned = [];

  constructor(doc: Y.Doc) {
    this.#doc = doc;
  }

  get isEmpty(): boolean {
    return this.#words.length === 0;
  }

  /** Takes in what dies with a transaction that is not one's own; returns whether anything waits. */
  learn(transaction: Y.Transaction, schema: Schema, giveUp: () => void): boolean {
    const found = transaction.local ? [] : this.#dyingIn(transaction, schema);
    this.#words = [...this.#words, ...found]
      .flatMap((word) => this.#withoutLiving(word))
      .sort((one, other) => one.id.clock - other.id.clock);
    this.#places.clear();
    const unsaved = unsavedIn(transaction);
    this.#returned = this.isEmpty
      ? []
      : withReturned(this.#returned, heirsIn(transaction), this.#doc.clientID, unsaved);
    for (const word of this.#words) this.#places.set(word, this.#placeOf(word));
    if (found.length > 0) {
      setTimeout(() => {
        const isFound = ({ id }: Word) =>
          found.some((word) => word.id.clock <= id.clock && id.clock < endOf(word));
        this.#words = this.#words.filter((word) => !isFound(word));
        giveUp();
      }, LONGEST_WAIT);
    }
    return this.#words.length > 0;
  }

  #dyingIn(transaction: Y.Transaction, schema: Schema): readonly Word[] {
    const found: Word[] = [];
    if (transaction.deleteSet.clients.size === 0) return found;
    for (const [client, first] of unsavedIn(transaction)) {
      const died = Y.createDeleteSet();
      const ranges = transaction.deleteSet.clients.get(client) ?? [];
      const own = ranges.flatMap(({ clock, len }) => {
        const start = Math.max(clock, first);
        return start < clock + len ? [{ clock: start, len: clock + len - start }] : [];
      });
      if (own.length > 0) died.clients.set(client, own);
      Y.iterateDeletedStructs(transaction, died, (item) => {
        if (!(item instanceof Y.Item) || item.id.clock < first) return;
        if (!(item.content instanceof Y.ContentString)) return;
        const text = item.parent;
        if (!(text instanceof Y.XmlText) || !text._item?.deleted) return;
        const formats = formatsOf(attributesAt(item, transaction), schema);
        found.push({
          id: item.id,
          text: item.content.str,
          marks: formats.map(({ mark }) => mark),
          left: this.behindWords(runsBeside(item, "left")),
          right: runsBeside(item, "right"),
        });
      });
    }
    return found;
  }

  /** The parts of a word that do not live elsewhere by now. */
  #withoutLiving(word: Word): readonly Word[] {
    const { id, text, marks } = word;
    const parts: Word[] = [];
    let begin = -1;
    for (let at = 0; at <= text.length; at += 1) {
      const isGone = at < text.length && livingOf(this.#doc, past(id, at)) === null;
      if (isGone && begin < 0) begin = at;
      if (isGone || begin < 0) continue;
      const left = begin > 0 ? [{ ...id, length: begin }, ...word.left] : word.left;
      const behind = { ...past(id, at), length: text.length - at };
      const right = at < text.length ? [behind, ...word.right] : word.right;
      parts.push({ id: past(id, begin), text: text.slice(begin, at), marks, left, right });
      begin = -1;
    }
    return parts.length === 1 && parts[0]?.text === text ? [word] : parts;
  }

  /** Runs to the left of a place, the nearest first, with the words that wait among them. */
  behindWords(runs: readonly Run[]): readonly Run[] {
    if (this.isEmpty) return runs;
    return runs.flatMap((run) => {
      const parts: Run[] = [];
      let end = run.length;
      for (const [word, place] of [...this.#places].reverse()) {
        const by = place?.isBehind && place.id.client === run.client ? place.id.clock - run.clock + 1 : 0;
        if (by < 1 || by > end) continue;
        if (by < end) parts.push({ ...run, clock: run.clock + by, length: end - by });
        parts.push({ ...word.id, length: word.text.length });
        end = by;
      }
      return [...parts, { ...run, length: end }];
    });
  }

  #placeOf({ left, right }: Word): Place | null {
    for (const [runs, isBehind] of [
      [left, true],
      [right, false],
    ] as const) {
      for (const { client, clock, length } of runs) {
        for (let at = 0; at < length; at += 1) {
          const id = Y.createID(client, isBehind ? clock + length - 1 - at : clock + at);
          const found = livingOf(this.#doc, id);
          if (found) return { id: isBehind ? lastReturned(found, this.#returned) : found.id, isBehind };
        }
      }
    }
    return null;
  }

  drawn(doc: Node, root: Y.XmlFragment, nodes: Nodes): DecorationSet {
    const widgets = this.#words.flatMap((word) => {
      const place = this.#places.get(word);
      const at = place ? positionOf(place.id, this.#doc, root, nodes) : null;
      if (!place || at === null) return [];
      const { id, text, marks } = word;
      const key = `${id.client} ${id.clock} ${text}`;
      return Decoration.widget(Math.min(at + (place.isBehind ? 1 : 0), doc.content.size), () => shown(text), {
        key,
        marks,
        side: -1,
        id,
        text,
      });
    });
    return widgets.length > 0 ? DecorationSet.create(doc, widgets) : DecorationSet.empty;
  }

  /** Takes the last letter of a word back; returns which one it was. */
  takeBack(id: Y.ID): Y.ID | null {
    const word = this.#words.find((each) => Y.compareIDs(each.id, id));
    if (!word) return null;
    const text = [...word.text].slice(0, -1).join("");
    const shorter = text === "" ? [] : [{ ...word, text }];
    this.#words = this.#words.flatMap((each) => (each === word ? shorter : [each]));
    const place = this.#places.get(word) ?? null;
    this.#places.delete(word);
    for (const each of shorter) this.#places.set(each, place);
    return past(id, text.length);
  }
}

function past({ client, clock }: Y.ID, by: number): Y.ID {
  return Y.createID(client, clock + by);
}

function endOf({ id, text }: Word): number {
  return id.clock + text.length;
}

function shown(text: string): HTMLElement {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

/** Clocks by client id, from which on the person's words are in no row of the log yet. */
export function unsavedIn({ meta }: Y.Transaction): ReadonlyMap<number, number> {
  const tell: unknown = meta.get("unsaved");
  const told: unknown = typeof tell === "function" ? tell() : null;
  return told instanceof Map ? told : new Map();
}

function runsBeside(item: Y.Item, side: "left" | "right"): readonly Run[] {
  const runs: Run[] = [];
  for (let at = item[side]; at && runs.length < MOST_RUNS; at = at[side]) {
    if (at.countable) runs.push({ client: at.id.client, clock: at.id.clock, length: at.length });
  }
  return runs;
}

/** The formats that were in force at an item until a transaction. */
function attributesAt(item: Y.Item, { deleteSet }: Y.Transaction): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  const text = item.parent as Y.XmlText;
  for (let at = text._start; at && at !== item; at = at.right) {
    const isFormat = at.content instanceof Y.ContentFormat && (!at.deleted || Y.isDeleted(deleteSet, at.id));
    if (isFormat) attributes[(at.content as Y.ContentFormat).key] = (at.content as Y.ContentFormat).value;
  }
  return attributes;
}
