/** Who this person is when they comment; without the server, whoever they were at the last visit. */

import type { Provider } from "@manyhands/provider";
import { useMemo } from "react";
import type { Me } from "../../api/me";
import { useOwnId } from "../suggesting/usePresent";
import type { Author } from "./threads";

export function useAuthor(me: Me | null, provider: Pick<Provider, "awareness">): Author | null {
  const id = useOwnId(me);
  const name = me?.user.name ?? String(provider.awareness.getLocalState()?.user?.name ?? "");
  return useMemo(() => (id === null ? null : { user_id: id, name, kind: "person" }), [id, name]);
}
