/** Menu items: to whom a thread is assigned. The people are asked for when the menu opens. */

import { UserRound, UserRoundX } from "lucide-react";
import { useEffect, useState } from "react";
import type * as wire from "../../api/wire";
import { t } from "../../i18n/t";
import { MenuItem, SubMenu } from "../../ui/Menu";
import type { Deeds } from "./deeds";
import type { ShownThread } from "./threads";

export function AssignItems({ thread, deeds }: { readonly thread: ShownThread; readonly deeds: Deeds }) {
  const [people, setPeople] = useState<readonly wire.User[]>([]);
  useEffect(() => {
    let isHere = true;
    void deeds.findUsers().then((found) => {
      if (isHere) setPeople(found);
    });
    return () => {
      isHere = false;
    };
  }, [deeds]);
  const assignee = thread.assignee?.id ?? null;
  return (
    <>
      {people.length > 0 && (
        <SubMenu label={t("Assign to")} icon={UserRound}>
          {people
            .filter(({ id }) => id !== assignee)
            .map((person) => (
              <MenuItem
                key={person.id}
                onSelect={() => deeds.change(thread, { assignee: person.id }, person)}
              >
                {person.name}
              </MenuItem>
            ))}
        </SubMenu>
      )}
      {assignee !== null && (
        <MenuItem icon={UserRoundX} onSelect={() => deeds.change(thread, { assignee: null }, null)}>
          {t("Assign to nobody")}
        </MenuItem>
      )}
    </>
  );
}
