/**
 * Talk among the tabs of one browser that keep a document in the same copy on the device, while the server is away.
 *
 * A tab that is apart from the server tells the others what it changes and where its caret is. Those that are apart as well
 * show it.
 * 1. What a tab has heard is not saved: the tab counts it as unsaved, keeps it under the name that it has on the device, and
 *    sends it, like what an earlier visit left. So words reach the server with whichever tab is first.
 * 2. A tab whose changes are acknowledged tells the others, which need not send these any more. What two tabs send at the
 *    same moment the server takes once.
 * 3. A tab with a connection hears from the server, and takes nothing from here. It answers those that are apart.
 */

import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { type Change, type KeptChange, updateOf } from "./changes.js";
import type { Session } from "./session.js";
import { type SyncState, unacknowledged, untold } from "./state.js";
import { mayTellTabs, talksToTabs } from "./sync.js";
import type { TabMessage } from "./tab_messages.js";
import type { Format } from "./types.js";

/** Tabs of a release with other messages do not hear these. */
const VERSION = 1;

export class Tabs {
  private readonly session: Session;
  private readonly doc: Y.Doc;
  private readonly awareness: Awareness;
  /** Pages of other formats do not hear each other: their editors would delete what they do not know. */
  private readonly format: Format | null;
  /** What a change is called on the device. */
  private readonly nameOf: (change: Change) => string;
  private channel: BroadcastChannel | null = null;
  /** Whether another tab was ever heard: without one there is nobody to tell. */
  private hasOthers = false;
  /** The changes that the others were told, with their counts. */
  private readonly told = new Map<string, number>();

  constructor(
    session: Session,
    doc: Y.Doc,
    awareness: Awareness,
    format: Format | null,
    nameOf: (change: Change) => string,
  ) {
    this.session = session;
    this.doc = doc;
    this.awareness = awareness;
    this.format = format;
    this.nameOf = nameOf;
    awareness.on("change", this.sayWhere);
  }

  /** Talk to the tabs that have this copy, and to no others any more. */
  open(copy: string): void {
    this.channel?.close();
    if (typeof BroadcastChannel === "undefined") return;
    const { name, version } = this.format ?? { name: "", version: 0 };
    this.channel = new BroadcastChannel(`manyhands:${VERSION}:${copy}:${name}:${version}`);
    // In Node a channel that listens would keep the process.
    (this.channel as BroadcastChannel & { unref?: () => void }).unref?.();
    this.channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
      this.hasOthers = true;
      this.hear(data);
    };
    this.hello();
  }

  close(): void {
    this.awareness.off("change", this.sayWhere);
    if (this.isAlone) this.say({ kind: "presence", clientId: this.doc.clientID, state: null });
    this.channel?.close();
    this.channel = null;
  }

  /** Tell what has been changed while the server is away, and what it has acknowledged. */
  follow(state: SyncState, before: SyncState): void {
    const wasApart = before.phase.kind === "apart";
    const { isAlone } = this;
    if (!wasApart && isAlone) this.hello();
    if (!this.hasOthers) return;
    if (isAlone && state.pending !== before.pending) this.sayNews(state);
    if (!isAlone && wasApart) this.say({ kind: "presence", clientId: this.doc.clientID, state: null });
    if (state.inFlight.length < before.inFlight.length && untold(state) <= untold(before))
      this.saySaved(state, before);
  }

  private get isAlone(): boolean {
    return this.session.isWanted && talksToTabs(this.session.state);
  }

  private hear(message: TabMessage): void {
    if (!this.session.isWanted) return;
    if (message.kind === "hello") this.answer(message.stateVector);
    else this.session.hearTab(message);
  }

  /** Ask the others for what this tab lacks. */
  hello(): void {
    this.told.clear();
    this.post({ kind: "hello", stateVector: Y.encodeStateVector(this.doc) });
  }

  private answer(stateVector: Uint8Array): void {
    const { state, applied } = this.session;
    const { epoch, loaded } = state;
    if (!mayTellTabs(state)) return;
    const update = Y.encodeStateAsUpdate(this.doc, stateVector);
    const whole = { update, applied, isAdrift: untold(state) > 0, isLoaded: loaded };
    const changes = unacknowledged(state).map((change) => this.kept(change));
    this.say({ kind: "heard", epoch, changes, whole });
    this.sayWhere(null, "local");
  }

  private sayNews(state: SyncState): void {
    const news = unacknowledged(state).filter(
      (change) => this.told.get(this.nameOf(change)) !== change.count,
    );
    if (news.length === 0) return;
    for (const change of news) this.told.set(this.nameOf(change), change.count);
    const changes = news.map((change) => this.kept(change));
    this.say({ kind: "heard", epoch: state.epoch, changes, whole: null });
  }

  private saySaved(state: SyncState, before: SyncState): void {
    const waiting = new Set(unacknowledged(state).map(({ id }) => id));
    const saved = unacknowledged(before).filter(({ id }) => !waiting.has(id));
    if (saved.length > 0)
      this.say({ kind: "saved", counts: new Map(saved.map((each) => [this.nameOf(each), each.count])) });
  }

  private readonly sayWhere = (_changes: unknown, origin: unknown): void => {
    const state = this.awareness.getLocalState();
    if (origin === "local" && this.isAlone)
      this.say({ kind: "presence", clientId: this.doc.clientID, state });
  };

  private kept(change: Change): KeptChange {
    const { after, count } = change;
    return { key: this.nameOf(change), after, count, update: updateOf(change) };
  }

  private say(message: TabMessage): void {
    if (this.hasOthers) this.post(message);
  }

  private post(message: TabMessage): void {
    try {
      this.channel?.postMessage(message);
    } catch {
      // A presence state with a function in it, say: the others do without.
    }
  }
}
