/** Who asks for access to the open document: looked up when it opens, when the server says that others ask, when the tab is looked at again, and after an answer. */
import { useCallback, useEffect, useState } from "react";
import { useApi } from "../../api/ApiContext";
import type { AccessRequest } from "../../api/sharing";
import { t } from "../../i18n/t";

export interface Requests {
  readonly waiting: readonly AccessRequest[];
  readonly reload: () => void;
}

const NOBODY: readonly AccessRequest[] = [];

/** `mayShare`: for everybody else nobody asks. `accessChanges`: as the provider counts them. */
export function useRequests(documentId: string, mayShare: boolean, accessChanges: number): Requests {
  const api = useApi();
  const [waiting, setWaiting] = useState(NOBODY);
  const reload = useCallback(() => {
    // What is shown stays when the server is away: an answer would fail and say so.
    if (mayShare) api.getRequests(documentId).then(setWaiting, () => undefined);
    else setWaiting(NOBODY);
  }, [api, documentId, mayShare]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change asks anew
  useEffect(() => reload(), [reload, accessChanges]);
  useEffect(() => {
    const whenVisible = () => {
      if (document.visibilityState === "visible") reload();
    };
    document.addEventListener("visibilitychange", whenVisible);
    return () => document.removeEventListener("visibilitychange", whenVisible);
  }, [reload]);
  return { waiting, reload };
}

export function askingWords(asking: number): string {
  return t("{asking, plural, one {One person asks for access} other {# people ask for access}}", { asking });
}
