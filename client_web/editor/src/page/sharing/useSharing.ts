/** Who has access to a document, asked when the dialog opens and after each change, by whomever; changes tell of their failure themselves. */
import { useCallback, useEffect, useState } from "react";
import { useApi } from "../../api/ApiContext";
import { explain } from "../../api/api";
import { isForbidden } from "../../api/rest";
import type { Sharing } from "../../api/sharing";
import { useToasts } from "../../ui/Toast";

export type SharingState =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "ready"; readonly sharing: Sharing };

export interface SharingView {
  readonly state: SharingState;
  /** Whether a change is on its way; there is one at a time. */
  readonly isBusy: boolean;
  readonly reload: () => void;
  /** Returns whether the change was made; `failure` begins the sentence if it was not. */
  readonly change: (make: () => Promise<unknown>, failure: string) => Promise<boolean>;
}

/** `wanted` is false while nobody looks, and for people who may not see who has access. `accessChanges`: as the provider counts them. */
export function useSharing(documentId: string, wanted: boolean, accessChanges: number): SharingView {
  const api = useApi();
  const toasts = useToasts();
  const [state, setState] = useState<SharingState>({ kind: "loading" });
  const [isBusy, setBusy] = useState(false);

  const load = useCallback(async () => {
    try {
      setState({ kind: "ready", sharing: await api.getSharing(documentId) });
    } catch (error) {
      setState({ kind: "failed", why: explain(error) });
    }
  }, [api, documentId]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change asks anew
  useEffect(() => {
    if (wanted) void load();
  }, [wanted, load, accessChanges]);

  const change = useCallback(
    async (make: () => Promise<unknown>, failure: string) => {
      setBusy(true);
      try {
        await make();
        return true;
      } catch (error) {
        toasts.show({
          tone: "error",
          message: `${failure} ${explain(error)}`,
          isOfRights: isForbidden(error),
        });
        return false;
      } finally {
        await load();
        setBusy(false);
      }
    },
    [toasts, load],
  );
  return { state, isBusy, reload: () => void load(), change };
}
