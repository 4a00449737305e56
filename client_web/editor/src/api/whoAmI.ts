/** What this page knows of the person before it: asked once, and again while there is no answer.
 *
 * A page that has no answer goes on with what lies on the device: nobody has to be known to read an offline copy.
 */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Api } from "./api";
import type { Me, PersonLook } from "./me";
import { ApiError, NetworkError } from "./rest";

export type Standing =
  /** Nothing has been heard yet, or the server cannot tell. */
  | { readonly kind: "unknown" }
  | { readonly kind: "known"; readonly me: Me }
  /** Nobody comes in without signing in; null: not on this server. */
  | { readonly kind: "stranger"; readonly signIn: string | null };

export interface WhoAmI {
  readonly snapshot: () => Standing;
  readonly subscribe: (listener: () => void) => () => void;
  /** Resolves when the server has said something, rejects while it cannot be reached. */
  readonly ask: () => Promise<void>;
  readonly change: (look: PersonLook) => Promise<void>;
}

const UNKNOWN: Standing = { kind: "unknown" };

/** Where the server signs people in who are known by a provider of identities. */
const SIGN_IN = "/sign-in";

export function createWhoAmI(api: Pick<Api, "me" | "changeMe">): WhoAmI {
  const listeners = new Set<() => void>();
  let standing = UNKNOWN;
  let asking: Promise<void> | null = null;
  const become = (next: Standing) => {
    standing = next;
    for (const listener of listeners) listener();
  };
  const ask = async () => {
    try {
      become({ kind: "known", me: await api.me() });
    } catch (error) {
      if (error instanceof NetworkError) throw error;
      if (error instanceof ApiError && error.code === "unauthenticated")
        become({ kind: "stranger", signIn: error.signIn });
    } finally {
      asking = null;
    }
  };
  return {
    snapshot: () => standing,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ask: async () => {
      if (standing.kind === "known") return;
      asking ??= ask();
      await asking;
    },
    change: async (look) => become({ kind: "known", me: await api.changeMe(look) }),
  };
}

/** Somebody of whom nothing is known, for pages that stand alone. */
export const NOBODY: WhoAmI = {
  snapshot: () => UNKNOWN,
  subscribe: () => () => undefined,
  ask: async () => undefined,
  change: async () => undefined,
};

export const WhoContext = createContext<WhoAmI>(NOBODY);

export function useWho(): WhoAmI {
  return useContext(WhoContext);
}

export function useStanding(): Standing {
  const who = useWho();
  return useSyncExternalStore(who.subscribe, who.snapshot);
}

export function useMe(): Me | null {
  const standing = useStanding();
  return standing.kind === "known" ? standing.me : null;
}

/** Returns where to sign in, with the way back to this page; null where there is no such place. */
export function signInAddress(
  standing: Standing,
  here: Pick<Location, "pathname" | "search">,
): string | null {
  const path = standing.kind === "stranger" ? standing.signIn : isSignedIn(standing) ? SIGN_IN : null;
  return path === null ? null : `${path}?${new URLSearchParams({ next: here.pathname + here.search })}`;
}

function isSignedIn(standing: Standing): boolean {
  return standing.kind === "known" && standing.me.kind === "oidc";
}
