/** Opens a document's provider for as long as the page shows it, and reads its state. */

import {
  keepOnDevice,
  type LocalUser,
  ManyhandsProvider,
  type Provider,
  type ProviderState,
} from "@manyhands/provider";
import { FORMAT } from "@manyhands/schema";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type * as Y from "yjs";
import { useApi } from "../api/ApiContext";
import { deliver, waitingFor } from "../api/waiting";
import { deliverPictures } from "../api/waitingPictures";
import { useWho } from "../api/whoAmI";
import { useLink } from "./link";
import { usePictureRefusal } from "./useWaitingThings";

export interface Opening {
  readonly documentId: string;
  readonly user: LocalUser;
  /** The secret of the link by which the person came. */
  readonly link?: string;
  readonly beforeConnecting?: () => Promise<void>;
  /** The document was made on this device: it opens without the server. */
  readonly isNew?: boolean;
  /** Content to begin with; a new, empty document when absent. */
  readonly doc?: Y.Doc;
}

export type OpenDocument = (opening: Opening) => Provider;

export const openOverNetwork: OpenDocument = (opening) =>
  new ManyhandsProvider({ ...opening, format: FORMAT, offline: keepOnDevice });

/** How this page reaches documents: the network, or something else in a test. */
export const OpenContext = createContext<OpenDocument>(openOverNetwork);

export function useOpen(): OpenDocument {
  return useContext(OpenContext);
}

/** How long the connection waits for pictures that were kept on this device. */
const PICTURES_FIRST_MS = 4_000;

/** Returns null until the provider is made. A new `life` makes a new one for the same document, and so does another link. */
export function useProvider(documentId: string, user: LocalUser, life: number): Provider | null {
  const open = useOpen();
  const link = useLink(documentId);
  const who = useWho();
  const api = useApi();
  const tellOfPicture = usePictureRefusal();
  const [provider, setProvider] = useState<Provider | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `user` is told to the open provider when it changes; `life` asks for another
  useEffect(() => {
    const opened = open({
      documentId,
      user,
      ...(link === null ? {} : { link }),
      // A guest is known by a cookie: who connects without it would be somebody else.
      beforeConnecting: async () => {
        await who.ask();
        // The server knows nothing yet of a document that was made here.
        if (waitingFor(documentId)?.secret !== undefined) await deliver(api, documentId);
        // The others see a picture's place with its words: its bytes go first, unless they take long.
        const sent = deliverPictures(api, documentId, tellOfPicture);
        await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, PICTURES_FIRST_MS))]);
      },
      isNew: waitingFor(documentId)?.secret !== undefined,
    });
    const stopGuarding = opened.guardLeaving(window);
    setProvider(opened);
    return () => {
      setProvider(null);
      stopGuarding();
      void opened.destroy();
    };
  }, [documentId, open, life, link, who, api, tellOfPicture]);
  return provider;
}

const PASSING: ReadonlySet<keyof ProviderState> = new Set(["unsaved", "lastSavedAt", "offlineCopy"]);

/** Returns the state without what changes with every keystroke; that is as old as the rest. */
export function useSteadyState(provider: Provider): ProviderState {
  const kept = useRef<ProviderState | null>(null);
  const snapshot = useCallback(() => {
    const now = provider.snapshot();
    const before = kept.current;
    const names = Object.keys(now) as (keyof ProviderState)[];
    const isSame = before && names.every((name) => PASSING.has(name) || before[name] === now[name]);
    if (!isSame) kept.current = now;
    return kept.current ?? now;
  }, [provider]);
  return useSyncExternalStore(provider.subscribe, snapshot);
}

export function useProviderState(provider: Provider): ProviderState {
  return useSyncExternalStore(provider.subscribe, provider.snapshot);
}
