/** In the sharing dialog: whether viewers may read the comments. */

import { useEffect, useMemo, useState } from "react";
import { useApi } from "../../api/ApiContext";
import { explain } from "../../api/rest";
import { t } from "../../i18n/t";
import { useToasts } from "../../ui/Toast";
import { discussionCalls } from "./calls";

export function ReadersSwitch({ documentId }: { readonly documentId: string }) {
  const api = useApi();
  const toasts = useToasts();
  const calls = useMemo(() => discussionCalls(api.call, documentId), [api, documentId]);
  const [viewers, setViewers] = useState<boolean | null>(null);
  useEffect(() => {
    let isHere = true;
    calls.mayViewersRead().then(
      (allowed) => isHere && setViewers(allowed),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [calls]);
  const change = async (allowed: boolean) => {
    setViewers(allowed);
    try {
      await calls.letViewersRead(allowed);
    } catch (error) {
      setViewers(!allowed);
      toasts.show({ tone: "error", message: `${t("Nothing has changed.")} ${explain(error)}` });
    }
  };
  return (
    <label className="page-own-switch">
      <input
        type="checkbox"
        disabled={viewers === null}
        checked={viewers === true}
        onChange={(event) => void change(event.currentTarget.checked)}
      />
      {t("Viewers may read the comments")}
    </label>
  );
}
