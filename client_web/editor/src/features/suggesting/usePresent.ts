/** What the page has to know of suggestions before any of their code has come. */

import type { LocalUser, Provider } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { useEffect, useState } from "react";
import type { Me } from "../../api/me";
import { type Anchored, Anchoring } from "../../extensions/anchoring";
import { loadDecided } from "../../extensions/suggesting";
import { usePeople } from "../../page/usePeople";
import { learnPerson } from "./people";
import { hasSuggestions } from "./present";

const NOTHING: readonly Anchored[] = [];
const SOMETHING: readonly Anchored[] = [{ id: "", at: 0 }];

/** Whether anything is suggested in what an editor shows. Then `load` brings the code for that, and is asked again until it has. */
export function useHasSuggestions(editor: Editor | null, load = loadDecided): boolean {
  const [has, setHas] = useState(false);
  useEffect(() => {
    if (!editor) return setHas(false);
    const blocks = new Anchoring((block) => (hasSuggestions(block) ? SOMETHING : NOTHING));
    const look = () => setHas(blocks.all(editor.state.doc).length > 0);
    look();
    editor.on("transaction", look);
    return () => {
      editor.off("transaction", look);
    };
  }, [editor]);
  useEffect(() => {
    if (!has) return;
    // Offline, before any suggestion has been seen here, the code may be out of reach for a while.
    const ask = () =>
      void load().then(
        () => clearInterval(timer),
        () => undefined,
      );
    const timer = setInterval(ask, UNTIL_AGAIN);
    ask();
    return () => clearInterval(timer);
  }, [has, load]);
  return has;
}

/** Milliseconds until code that did not come is asked for again. */
const UNTIL_AGAIN = 10_000;

/** Lets an editor suggest anew what the server has refused: at once, or when a composed word is done. */
export function useSuggestingAnew(
  provider: Provider,
  editor: Editor | null,
  suggestAnew: ((editor: Editor, begin: () => void) => boolean) | null,
): void {
  useEffect(() => {
    if (!editor?.isEditable || !suggestAnew) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const offer = () => provider.leaveMendingTo((begin) => suggestAnew(editor, begin));
    const offerAgain = () => {
      clearTimeout(timer);
      timer = setTimeout(() => provider.snapshot().refusal && offer(), AFTER_WORD);
    };
    offer();
    editor.view.dom.addEventListener("compositionend", offerAgain);
    const { dom } = editor.view;
    return () => {
      clearTimeout(timer);
      dom.removeEventListener("compositionend", offerAgain);
      provider.leaveMendingTo(null);
    };
  }, [provider, editor, suggestAnew]);
}

/** Milliseconds after which the last of a composed word has been read. */
const AFTER_WORD = 150;

const OWN_ID = "manyhands:user";

/** The id under which this person suggests, as the server has said it last; null if it never has. */
export function useOwnId(me: Me | null): string | null {
  const own = me?.user.id ?? null;
  useEffect(() => {
    if (own === null) return;
    try {
      localStorage.setItem(OWN_ID, own);
    } catch {
      // Without storage nobody suggests before the server has said who they are.
    }
  }, [own]);
  return own ?? storedId();
}

function storedId(): string | null {
  try {
    return localStorage.getItem(OWN_ID);
  } catch {
    return null;
  }
}

/** Learns what the people are called who are here, and their colours; also this person, by their `ownId`. */
export function usePeopleOf(provider: Provider, ownId: string | null, person: LocalUser): void {
  const people = usePeople(provider.awareness);
  for (const { id, name, color } of people) learnPerson(id, name, color);
  if (ownId !== null) learnPerson(ownId, person.name, person.color);
}
