/** Who asks for access to the open document: looked up when it opens, when the tab is looked at again, and after an answer. */
import { useCallback, useEffect, useState } from "react";
import { useApi } from "../../api/ApiContext";
import type { AccessRequest } from "../../api/sharing";

export interface Requests {
  readonly waiting: readonly AccessRequest[];
  readonly reload: () => void;
}

const NOBODY: readonly AccessRequest[] = [];

/** `mayShare`: for everybody else nobody asks. */
export function useRequests(documentId: string, mayShare: boolean): Requests {
  const api = useApi();
  const [waiting, setWaiting] = useState(NOBODY);
  const reload = useCallback(() => {
    // What is shown stays when the server is away: an answer would fail and say so.
    if (mayShare) api.getRequests(documentId).then(setWaiting, () => undefined);
    else setWaiting(NOBODY);
  }, [api, documentId, mayShare]);
  useEffect(() => {
    const whenVisible = () => {
      if (document.visibilityState === "visible") reload();
    };
    reload();
    document.addEventListener("visibilitychange", whenVisible);
    return () => document.removeEventListener("visibilitychange", whenVisible);
  }, [reload]);
  return { waiting, reload };
}
