/** The other people in the document; pressing one follows them to where they write. */

import { type CSSProperties, memo } from "react";
import type { Awareness } from "y-protocols/awareness";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { Menu, MenuCheckItem, MenuLabel } from "../../ui/Menu";
import { Tooltip } from "../../ui/Tooltip";
import { useNarrow } from "../useNarrow";
import { type Present, presentName, usePeople } from "../usePeople";

export interface PeopleProps {
  readonly awareness: Awareness;
  /** The id of the person whom the view follows. */
  readonly followed: string | null;
  /** Follows somebody; the one who is followed, no longer. */
  readonly onFollow: (person: Present) => void;
}

const MOST_SHOWN = 4;
/** A phone has room for one: several people are a number there. */
const MOST_SHOWN_NARROW = 1;

export const People = memo(function People({ awareness, followed, onFollow }: PeopleProps) {
  const people = usePeople(awareness);
  const most = useNarrow() ? MOST_SHOWN_NARROW : MOST_SHOWN;
  if (people.length === 0) return null;
  const shown = people.length > most ? people.slice(0, most - 1) : people;
  const rest = people.slice(shown.length);
  return (
    <ul className="page-people" aria-label={t("Also here")}>
      {shown.map((person) => (
        <li key={person.id}>
          <Tooltip label={presentName(person)}>
            <button
              type="button"
              className="page-person"
              aria-label={t("Follow {name}", { name: presentName(person) })}
              aria-pressed={followed === person.id}
              style={{ "--person-color": person.color } as CSSProperties}
              onClick={() => onFollow(person)}
            >
              <Avatar aria-hidden="true" name={person.name} color={person.color} />
            </button>
          </Tooltip>
        </li>
      ))}
      {rest.length > 0 && (
        <li>
          <Menu
            align="end"
            trigger={
              <button
                type="button"
                className="page-person page-person--more"
                aria-label={
                  shown.length > 0
                    ? t("{count, number} more people", { count: rest.length })
                    : t("{count, number} other people", { count: rest.length })
                }
              >
                +{rest.length}
              </button>
            }
          >
            <MenuLabel>{t("Follow somebody who is here")}</MenuLabel>
            {rest.map((person) => (
              <MenuCheckItem
                key={person.id}
                checked={followed === person.id}
                onCheckedChange={() => onFollow(person)}
              >
                <span className="page-person-row">
                  <Avatar aria-hidden="true" name={person.name} color={person.color} size={22} />
                  {presentName(person)}
                </span>
              </MenuCheckItem>
            ))}
          </Menu>
        </li>
      )}
    </ul>
  );
});
