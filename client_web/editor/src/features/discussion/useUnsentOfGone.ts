/** What somebody was writing about a thread or a suggestion that is gone: the page says so, and hands the words out. */

import { useEffect, useRef } from "react";
import { t } from "../../i18n/t";
import { useToasts } from "../../ui/Toast";
import { wordsOf } from "./threads";
import { forgetUnsent, unsentOf } from "./unsent";

export function useUnsentOfGone(documentId: string, all: readonly { readonly id: string }[]): void {
  const toasts = useToasts();
  const before = useRef({ documentId, all });
  useEffect(() => {
    const here = new Set(all.map(({ id }) => id));
    const known = before.current.documentId === documentId ? before.current.all : [];
    before.current = { documentId, all };
    for (const { id } of known) {
      const body = here.has(id) ? null : unsentOf(id);
      if (!body) continue;
      forgetUnsent(id);
      const copy = () => void navigator.clipboard.writeText(wordsOf(body)).catch(() => undefined);
      toasts.show({
        message: t("What you were writing about is gone. Your words: “{words}”", { words: wordsOf(body) }),
        action: { label: t("Copy my words"), onAction: copy },
        duration: Number.POSITIVE_INFINITY,
      });
    }
  }, [documentId, all, toasts]);
}
