/** The person at this page: as the server knows them, else as this browser remembers them. */
import type { LocalUser, Provider } from "@manyhands/provider";
import { useCallback, useEffect, useRef, useState } from "react";
import { type Me, sameLook } from "../api/me";
import { useStanding, useWho } from "../api/whoAmI";
import { browserStorage, loadPerson, savePerson } from "./identity";

export interface PersonHere {
  readonly person: LocalUser;
  readonly me: Me | null;
  readonly change: (person: LocalUser, provider: Provider | null) => void;
}

export function usePerson(): PersonHere {
  const who = useWho();
  const standing = useStanding();
  const me = standing.kind === "known" ? standing.me : null;
  const [chosen, choose] = useState(() => loadPerson(browserStorage(), Math.random));
  const isGuest = me === null || me.kind === "guest";
  const person = isGuest ? chosen : me.user;
  /** What the server was told last: it may write a name its own way, and is not told again for that. */
  const told = useRef<LocalUser | null>(null);

  useEffect(() => {
    if (me === null) return;
    // A guest's name is theirs, and the server is told; anybody else's is the server's, and remembered for the next time offline.
    if (!isGuest) savePerson(browserStorage(), { name: me.user.name, color: me.user.color });
    else if (told.current !== chosen && !sameLook(me.user, chosen)) {
      told.current = chosen;
      who.change(chosen).catch(() => undefined);
    }
  }, [who, me, isGuest, chosen]);

  const change = useCallback((changed: LocalUser, provider: Provider | null) => {
    savePerson(browserStorage(), changed);
    choose(changed);
    provider?.setUser(changed);
  }, []);
  return { person, me, change };
}
