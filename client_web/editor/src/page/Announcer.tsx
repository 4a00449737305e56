/** Tells screen readers when the document's safety changes, what they may do, who comes and goes, or that somebody asks for access.
 *
 * Not at every keystroke that is being saved, and not at everybody's step through the door.
 */

import type { Provider, Role } from "@manyhands/provider";
import { useEffect, useRef, useState } from "react";
import { LOCALE } from "../i18n/language";
import { t } from "../i18n/t";
import { askingWords } from "./sharing/useRequests";
import type { StatusKind } from "./status";
import { type Present, presentName, usePeople } from "./usePeople";
import { useSteadyState } from "./useProvider";
import { useStatus } from "./useStatus";

const PASSING: ReadonlySet<StatusKind> = new Set(["saving", "syncing", "connecting", "offline-keeping"]);

const MODES: Readonly<Record<Role, string>> = {
  owner: t("You own this document."),
  editor: t("You may edit this document."),
  commenter: t("You may suggest changes to this document and comment on it."),
  viewer: t("You may read this document."),
};

export interface AnnouncerProps {
  readonly provider: Provider;
  /** How many people ask for access. */
  readonly asking: number;
}

export function Announcer({ provider, asking }: AnnouncerProps) {
  const state = useSteadyState(provider);
  const { kind, label } = useStatus(provider);
  const [said, setSaid] = useState<{ readonly kind: StatusKind; readonly label: string } | null>(null);
  useEffect(() => {
    if (!PASSING.has(kind)) setSaid((before) => (before?.kind === kind ? before : { kind, label }));
  }, [kind, label]);
  return (
    <>
      <p className="ui-hidden" aria-live="polite">
        {said?.label}
      </p>
      <p className="ui-hidden" aria-live="polite">
        {state.role && MODES[state.role]}
      </p>
      <p className="ui-hidden" aria-live="polite">
        {asking > 0 && askingWords(asking)}
      </p>
      <p className="ui-hidden" aria-live="polite">
        {useComings(usePeople(provider.awareness))}
      </p>
    </>
  );
}

/** The time whose comings and goings are said in one sentence. Whoever comes and goes within it was not here. */
const GATHERED_MS = 4000;

/** The time for which a sentence stays. The browser's search would meet names in it that stand nowhere in the document. */
const SAID_MS = 4000;

/** Returns who has come and who has left since it was last said. */
function useComings(people: readonly Present[]): string {
  const [said, setSaid] = useState("");
  const known = useRef<readonly Present[]>([]);
  const here = useRef(people);
  here.current = people;
  const gathering = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever comes or goes begins a time of gathering
  useEffect(() => {
    gathering.current ||= window.setTimeout(() => {
      gathering.current = 0;
      const words = comingWords(known.current, here.current);
      known.current = here.current;
      if (words !== "") setSaid(words);
    }, GATHERED_MS);
  }, [people]);
  useEffect(() => {
    if (said === "") return;
    const timer = window.setTimeout(() => setSaid(""), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [said]);
  useEffect(() => {
    return () => {
      window.clearTimeout(gathering.current);
      gathering.current = 0;
    };
  }, []);
  return said;
}

function comingWords(before: readonly Present[], now: readonly Present[]): string {
  const [came, left] = [without(now, before), without(before, now)];
  return [came.length > 0 ? cameWords(came) : "", left.length > 0 ? leftWords(left) : ""].join(" ").trim();
}

function without(people: readonly Present[], others: readonly Present[]): readonly Present[] {
  return people.filter(({ id }) => !others.some((other) => other.id === id));
}

function cameWords(people: readonly Present[]): string {
  return t("{count, plural, one {{names} is here.} other {{names} are here.}}", {
    count: people.length,
    names: namesOf(people),
  });
}

function leftWords(people: readonly Present[]): string {
  return t("{count, plural, one {{names} has left.} other {{names} have left.}}", {
    count: people.length,
    names: namesOf(people),
  });
}

const MOST_NAMES = 3;

function namesOf(people: readonly Present[]): string {
  if (people.length > MOST_NAMES) return t("{count, number} people", { count: people.length });
  return new Intl.ListFormat(LOCALE).format(people.map(presentName));
}
