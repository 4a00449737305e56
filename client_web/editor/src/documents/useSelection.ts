/** Which documents of the list are selected: one by one, or a whole range with Shift. */
import { useCallback, useMemo, useRef, useState } from "react";
import type { DocumentEntry } from "../api/api";

export interface Selection {
  /** In the order of the list; without what is not listed any more. */
  readonly selected: readonly DocumentEntry[];
  readonly has: (id: string) => boolean;
  /** `isRange`: everything between this document and the one that was chosen last becomes like it. */
  readonly toggle: (id: string, isRange: boolean) => void;
  readonly all: () => void;
  readonly none: () => void;
}

export function useSelection(documents: readonly DocumentEntry[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const toggle = useCallback(
    (id: string, isRange: boolean) => {
      const places = [id, isRange ? last.current : id].map((each) =>
        documents.findIndex((document) => document.id === each),
      );
      last.current = id;
      const [from, to] = [Math.min(...places), Math.max(...places)];
      const range = from < 0 ? [id] : documents.slice(from, to + 1).map((document) => document.id);
      setIds((before) => {
        const after = new Set(before);
        const isWanted = !before.has(id);
        for (const each of range) isWanted ? after.add(each) : after.delete(each);
        return after;
      });
    },
    [documents],
  );
  const all = useCallback(() => setIds(new Set(documents.map(({ id }) => id))), [documents]);
  const none = useCallback(() => setIds(new Set()), []);
  const selected = useMemo(() => documents.filter(({ id }) => ids.has(id)), [documents, ids]);
  return { selected, has: (id) => ids.has(id), toggle, all, none };
}
