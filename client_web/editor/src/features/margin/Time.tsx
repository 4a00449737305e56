/** When something was said or suggested, as a card says it. */

import { fullTime, relativeTime } from "../../documents/times";
import { useNow } from "../../documents/useNow";
import { t } from "../../i18n/t";

export function Time({ at, isEdited = false }: { readonly at: string; readonly isEdited?: boolean }) {
  const now = useNow();
  const time = new Date(at);
  const words = relativeTime(time, now);
  return (
    <time dateTime={at} title={fullTime(time)}>
      {isEdited ? t("{when}, edited", { when: words }) : words}
    </time>
  );
}
