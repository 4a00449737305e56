/** What a person can do with threads; the page gives it to every card. */

import type * as wire from "../../api/wire";
import type { Suggestion } from "../suggesting/list";
import type { FindPeople } from "./Composer";
import type { Act, Body, Rights, ShownComment, ShownThread } from "./threads";

export interface Deeds {
  readonly rights: Rights;
  /** This person's id; null while nobody knows. */
  readonly own: string | null;
  readonly isOffline: boolean;
  readonly findPeople: FindPeople;
  /** Everybody to whom a thread can be assigned. */
  readonly findUsers: () => Promise<readonly wire.User[]>;
  readonly reply: (thread: ShownThread, body: Body, assignee: wire.User | null) => void;
  /** Begins a thread about a suggestion. */
  readonly discuss: (suggestion: Suggestion, body: Body, assignee: wire.User | null) => void;
  readonly edit: (thread: ShownThread, comment: ShownComment, body: Body) => void;
  readonly react: (thread: ShownThread, comment: ShownComment, emoji: string, isOn: boolean) => void;
  readonly change: (thread: ShownThread, change: wire.ThreadChange, assignee?: wire.User | null) => void;
  /** Finds the words of a thread in the text again, and marks them. */
  readonly attach: (thread: ShownThread) => void;
  readonly deleteComment: (thread: ShownThread, comment: ShownComment) => void;
  readonly deleteThread: (thread: ShownThread) => void;
  readonly copyLink: (thread: ShownThread) => void;
  readonly tellReplying: (thread: string | null) => void;
  readonly again: (act: Act) => void;
  readonly drop: (act: Act) => void;
  /** Goes back to the text. */
  readonly leave: () => void;
}
