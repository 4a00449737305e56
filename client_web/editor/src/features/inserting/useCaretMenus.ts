/** The menus at the caret of one document: blocks, people and documents and days, emoji. */

import type { Provider } from "@manyhands/provider";
import { useContext, useMemo } from "react";
import { ApiContext } from "../../api/ApiContext";
import { type CaretMenuSource, CaretMenuStore } from "../../extensions/caret_menus";
import { blockSource } from "./blockChoices";
import { emojiSource } from "./emojiChoices";
import { mentionSource } from "./mentionChoices";

export interface CaretMenusHere {
  readonly sources: readonly CaretMenuSource[];
  readonly store: CaretMenuStore;
}

export function useCaretMenus(provider: Provider): CaretMenusHere {
  const api = useContext(ApiContext);
  return useMemo(
    () => ({
      sources: [blockSource, mentionSource(api, provider), emojiSource],
      store: new CaretMenuStore(),
    }),
    [api, provider],
  );
}
