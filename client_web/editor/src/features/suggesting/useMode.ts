/** How a person works in a document: editing, suggesting or viewing, and how suggestions are shown. Kept per person and document. */

import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Stored, useStored } from "../../api/stored";
import { LATER, type Suggester } from "../../extensions/suggesting";
import type { Refusal } from "./author";
import type { View } from "./settle";

export const MODES = ["editing", "suggesting", "viewing"] as const;
export type Mode = (typeof MODES)[number];

export type { View };

export interface ModeSwitch {
  readonly mode: Mode;
  readonly view: View;
  /** Whether what is typed goes into the document, as text or as suggestions. */
  readonly isWriting: boolean;
  /** The modes that this person may choose. */
  readonly modes: readonly Mode[];
  readonly change: (mode: Mode) => void;
  readonly show: (view: View) => void;
  /** Returns a document as the view shows it; null while everything is shown as it is. */
  readonly shown: ((doc: Node) => Node) | null;
  /** Who suggests at the moment. */
  readonly suggester: () => Suggester | null;
  /** Suggests anew what the server has refused; null while nobody suggests, or the code for that has not come. */
  readonly suggestAnew: ((editor: Editor, begin: () => void) => boolean) | null;
  /** Whether that code is on its way. */
  readonly isComing: boolean;
}

export interface ModeOptions {
  readonly documentId: string;
  /** The person's id; null while the server has not said. */
  readonly user: string | null;
  /** A commenter suggests, and edits nothing. */
  readonly onlySuggests: boolean;
  readonly refuse: (reason: Refusal | "loading") => void;
}

const load = () => import("./suggesting");

type Loaded = Awaited<ReturnType<typeof load>>;

export function useMode({ documentId, user, onlySuggests, refuse }: ModeOptions): ModeSwitch {
  const stored = useMemo(
    () =>
      new Stored<Mode>(
        `manyhands:mode:${user ?? ""}:${documentId}`,
        (text) => MODES.find((mode) => mode === text) ?? "editing",
      ),
    [user, documentId],
  );
  const chosen = useStored(stored, stored.read);
  const modes: readonly Mode[] = onlySuggests
    ? ["suggesting", "viewing"]
    : user === null
      ? ["editing", "viewing"]
      : MODES;
  const mode = modes.includes(chosen) ? chosen : (modes[0] ?? "viewing");
  const [view, setView] = useState<View>("inline");
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const isNeeded = mode === "suggesting" || view !== "inline";
  useEffect(() => {
    if (isNeeded && !loaded) void load().then(setLoaded, () => setFailed(true));
  }, [isNeeded, loaded]);
  const latest = useRef<Suggester | null>(null);
  const told = useRef(refuse);
  told.current = refuse;
  latest.current =
    mode === "suggesting" && user !== null
      ? {
          user,
          isBound: onlySuggests,
          translate: loaded?.translate ?? LATER,
          refuse: (reason) => told.current(reason),
        }
      : null;
  const suggester = useCallback(() => latest.current, []);
  const shown = useMemo(
    () => (view === "inline" || !loaded ? null : (doc: Node) => loaded.viewOf(doc, view)),
    [view, loaded],
  );
  const suggestAnew = useMemo(() => {
    if (mode !== "suggesting" || user === null || !loaded) return null;
    return (editor: Editor, begin: () => void) => {
      const now = latest.current;
      return now !== null && loaded.suggestAnew(editor, now, begin);
    };
  }, [mode, user, loaded]);
  const change = useCallback((next: Mode) => void stored.write(next), [stored]);
  const isWriting = mode === "editing" || (mode === "suggesting" && user !== null);
  const isComing = isNeeded && !loaded && !hasFailed;
  return { mode, view, isWriting, modes, change, show: setView, shown, suggester, suggestAnew, isComing };
}
