/** Offers a newer version when there is one; never reloads by itself, since somebody may be typing. */
import { useEffect } from "react";
import { t } from "../i18n/t";
import type { Updates } from "../service-worker/updates";
import { useToasts } from "../ui/Toast";

export function UpdateNotice({ updates }: { readonly updates: Updates }) {
  const toasts = useToasts();
  useEffect(
    () =>
      updates.onReady((activate) => {
        toasts.show({
          message: t("A new version is ready."),
          duration: Number.POSITIVE_INFINITY,
          action: { label: t("Reload"), altText: t("Reload the page to use it"), onAction: activate },
        });
      }),
    [updates, toasts],
  );
  return null;
}
