/** The other people in the document; pressing one goes to where they write. */

import { memo } from "react";
import type { Awareness } from "y-protocols/awareness";
import { Avatar } from "../../ui/Avatar";
import { Menu, MenuItem, MenuLabel } from "../../ui/Menu";
import { Tooltip } from "../../ui/Tooltip";
import { useNarrow } from "../useNarrow";
import { type Present, usePeople } from "../usePeople";

export interface PeopleProps {
  readonly awareness: Awareness;
  readonly onGoTo: (person: Present) => void;
}

const MOST_SHOWN = 4;
/** A phone has room for one: several people are a number there. */
const MOST_SHOWN_NARROW = 1;

export const People = memo(function People({ awareness, onGoTo }: PeopleProps) {
  const people = usePeople(awareness);
  const most = useNarrow() ? MOST_SHOWN_NARROW : MOST_SHOWN;
  if (people.length === 0) return null;
  const shown = people.length > most ? people.slice(0, most - 1) : people;
  const rest = people.slice(shown.length);
  return (
    <ul className="page-people" aria-label="Also here">
      {shown.map((person) => (
        <li key={person.id}>
          <Tooltip label={person.name}>
            <button
              type="button"
              className="page-person"
              aria-label={`Go to where ${person.name} is`}
              onClick={() => onGoTo(person)}
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
                aria-label={shown.length > 0 ? `${rest.length} more people` : `${rest.length} other people`}
              >
                +{rest.length}
              </button>
            }
          >
            <MenuLabel>Also here</MenuLabel>
            {rest.map((person) => (
              <MenuItem key={person.id} onSelect={() => onGoTo(person)}>
                <span className="page-person-row">
                  <Avatar aria-hidden="true" name={person.name} color={person.color} size={22} />
                  {person.name}
                </span>
              </MenuItem>
            ))}
          </Menu>
        </li>
      )}
    </ul>
  );
});
