/** What “@” finds: people who are here or have access, documents by their title, and days. */

import type { Provider } from "@manyhands/provider";
import type { Editor, Range } from "@tiptap/core";
import { CalendarDays, CalendarSearch, FileText, UserRound } from "lucide-react";
import type { Api } from "../../api/api";
import type { PersonRef } from "../../api/me";
import { shownTitle } from "../../documents/titles";
import type { CaretMenuSource, Choice } from "../../extensions/caret_menus";
import { LOCALE } from "../../i18n/language";
import { t } from "../../i18n/t";
import { peopleIn } from "../../page/usePeople";
import { askForDay } from "./day_asking";
import { daysFor } from "./days";

/** Choices of one kind that are shown at most. */
const MOST = 5;
/** Longer ones are no names any more, but text behind a sign. */
const LONGEST_QUERY = 40;

type Person = Pick<PersonRef, "id" | "name">;

/** Without a server there are the people who are here, and days. */
export function mentionSource(api: Api | null, { documentId, awareness }: Provider): CaretMenuSource {
  const here = (query: string): readonly Person[] => peopleIn(awareness).filter(hasName(query));
  return {
    sign: "@",
    label: t("Mention"),
    allowSpaces: true,
    leastQuery: 0,
    choices: (query) => {
      const days = daysFor(query, new Date(), LOCALE);
      return [
        ...here(query).slice(0, MOST).map(personChoice),
        ...days.slice(0, MOST).map(({ label, text }) => ({
          id: `day-${label}`,
          label,
          detail: text,
          group: t("Days"),
          icon: CalendarDays,
          run: (editor: Editor, range: Range) => insertText(editor, range, text),
        })),
        ...dayQuestion(query),
      ];
    },
    laterChoices: async (query, signal) => {
      if (!api || query.length > LONGEST_QUERY || /^\s/.test(query)) return [];
      const seen = new Set(here(query).map(({ id }) => id));
      const [people, documents] = await Promise.all([
        peopleWithAccess(api, documentId),
        titled(api, query, signal),
      ]);
      const others = people.filter((person) => !seen.has(person.id) && hasName(query)(person));
      return [
        ...others.slice(0, MOST).map(personChoice),
        ...documents.filter(({ id }) => id !== documentId).map(documentChoice),
      ];
    },
  };
}

/** Somebody who may not see who has access, or is offline, is offered less. */
async function peopleWithAccess(api: Api, documentId: string): Promise<readonly Person[]> {
  try {
    return (await api.getSharing(documentId)).people.map(({ user }) => user);
  } catch {
    return [];
  }
}

async function titled(api: Api, query: string, signal: AbortSignal) {
  try {
    return (await api.listDocuments({ query: query.trim(), limit: MOST, signal })).documents;
  } catch {
    return [];
  }
}

function hasName(query: string): (person: Person) => boolean {
  const wanted = query.trim().toLowerCase();
  return ({ name }) => ` ${name.toLowerCase()}`.includes(` ${wanted}`);
}

export function personChoice({ id, name }: Person): Choice {
  return {
    id: `person-${id}`,
    label: name,
    group: t("People"),
    icon: UserRound,
    run: (editor, range) =>
      editor
        .chain()
        .focus()
        .insertContentAt(range, [
          { type: "mention", attrs: { id, label: name } },
          { type: "text", text: " " },
        ])
        .run(),
  };
}

function documentChoice({ id, title }: { readonly id: string; readonly title: string }): Choice {
  const text = shownTitle(title);
  return {
    id: `document-${id}`,
    label: text,
    group: t("Documents"),
    icon: FileText,
    run: (editor, range) => {
      const link = { type: "text", text, marks: [{ type: "link", attrs: { href: `/d/${id}` } }] };
      editor.chain().focus().insertContentAt(range, link).unsetMark("link").insertContent(" ").run();
    },
  };
}

function dayQuestion(query: string): readonly Choice[] {
  const words = t("choose date day calendar").split(" ");
  const wanted = query.trim().toLowerCase();
  if (!words.some((word) => word.startsWith(wanted))) return [];
  return [
    {
      id: "day-other",
      label: t("Choose a date…"),
      group: t("Days"),
      icon: CalendarSearch,
      run: (editor, range) => {
        editor.chain().focus().deleteRange(range).run();
        askForDay(editor);
      },
    },
  ];
}

function insertText(editor: Editor, range: Range, text: string): void {
  editor
    .chain()
    .focus()
    .insertContentAt(range, { type: "text", text: `${text} ` })
    .run();
}
