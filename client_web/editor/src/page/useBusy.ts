/** Whether an action is under way; the action itself tells of its failure. */

import { useState } from "react";

export function useBusy(): readonly [boolean, (action: () => Promise<void>) => void] {
  const [isBusy, setBusy] = useState(false);
  const run = (action: () => Promise<void>) => {
    setBusy(true);
    void action().finally(() => setBusy(false));
  };
  return [isBusy, run];
}
