/** The question for one's name, asked once: when somebody else is here for the first time. */

import type { LocalUser } from "@manyhands/provider";
import { lazy, memo, Suspense, useState } from "react";
import type { Awareness } from "y-protocols/awareness";
import type { Me } from "../../api/me";
import { browserStorage, isNamed, rememberNamed } from "../../page/identity";
import { usePeople } from "../../page/usePeople";

const NameCard = lazy(async () => ({ default: (await import("./NameCard")).NameCard }));

export interface NameQuestionProps {
  readonly awareness: Awareness;
  readonly person: LocalUser;
  /** null while the server has not said. */
  readonly me: Me | null;
  readonly onAnswer: (person: LocalUser) => void;
}

export const NameQuestion = memo(function NameQuestion({
  awareness,
  person,
  me,
  onAnswer,
}: NameQuestionProps) {
  const [isDone, setDone] = useState(() => isNamed(browserStorage()));
  // A second tab of one's own is nobody to be introduced to.
  const others = usePeople(awareness).filter(({ id }) => id !== me?.user.id);
  const [first] = others;
  if (isDone || me?.kind !== "guest" || !first) return null;
  const answer = (name: string) => {
    rememberNamed(browserStorage());
    setDone(true);
    if (name !== person.name) onAnswer({ ...person, name });
  };
  return (
    <Suspense>
      <NameCard guest={person.name} other={first.name} onAnswer={answer} />
    </Suspense>
  );
});
