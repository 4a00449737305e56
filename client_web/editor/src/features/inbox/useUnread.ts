/** The number of unread entries in this person's inbox. */

import { useEffect, useState } from "react";
import type { Api } from "../../api/api";
import { isRecord } from "../../api/rest";
import type * as wire from "../../api/wire";
import { LANGUAGE } from "../../i18n/language";

/**
 * The list of documents has no connection of its own, which each open list would hold for a sign that
 * seldom changes. It asks when somebody comes back to the page, and once a minute while it is seen.
 */
const AGAIN_MS = 60_000;

export interface UnreadEntries {
  /** null while the server has not said, or keeps no inbox. */
  readonly unread: number | null;
  readonly setUnread: (unread: number) => void;
}

export function useUnread(api: Api | null, changes: number | undefined): UnreadEntries {
  const [unread, setUnread] = useState<number | null>(null);
  useEffect(() => {
    if (!api || changes === 0) return;
    let isHere = true;
    const ask = async () => {
      try {
        const answer = await api.call("/api/inbox/unread");
        if (!isRecord<wire.Unread>(answer)) return;
        if (isHere) setUnread(Number(answer.unread));
        // Mail is written in the language of the page.
        if (typeof answer.language === "string" && answer.language !== LANGUAGE) {
          await api.call("/api/inbox", { method: "PATCH", body: { language: LANGUAGE } });
        }
      } catch {
        // The number stays as it is until the server can be asked again.
      }
    };
    void ask();
    const isTold = changes !== undefined;
    const look = () => {
      if (!isTold && document.visibilityState === "visible") void ask();
    };
    const timer = setInterval(look, AGAIN_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      isHere = false;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [api, changes]);
  return { unread, setUnread };
}
