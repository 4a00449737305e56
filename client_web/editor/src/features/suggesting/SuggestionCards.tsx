/** Cards beside the text, one for each suggestion that is near: who suggests what, and what becomes of it. */

import type { Editor } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";
import { Check, X } from "lucide-react";
import { memo, type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { relativeTime } from "../../documents/times";
import { t } from "../../i18n/t";
import { useNarrow } from "../../page/useNarrow";
import { Avatar } from "../../ui/Avatar";
import { IconButton } from "../../ui/IconButton";
import { hasSameWords, type Suggestion } from "./list";
import { colorOf, nameOf } from "./people";
import { settleIn } from "./settling";
import { useSuggestions } from "./useSuggestions";
import { linesOf } from "./words";
import "./suggesting.css";

export interface SuggestionCardsProps {
  readonly editor: Editor;
  readonly desk: RefObject<HTMLElement | null>;
  /** The person's id, whose own suggestions may be withdrawn. */
  readonly user: string | null;
  /** Whether this person accepts and rejects. */
  readonly maySettle: boolean;
}

/** Pixels above and below what is seen for which cards are drawn. */
const AROUND = 600;
/** Pixels between cards. */
const GAP = 8;

export function SuggestionCards({ editor, desk, user, maySettle }: SuggestionCardsProps) {
  const { all, active } = useSuggestions(editor);
  const isNarrow = useNarrow();
  const near = useNear(editor, desk, all);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLElement>(null);
  useAuthorColors(all);
  usePlaces(editor, desk, list, isNarrow ? [] : near);
  const step = useCallback((way: 1 | -1) => goTo(editor, all, way), [editor, all]);
  useStepKeys(step);
  const hasAny = all.length > 0;
  useEffect(() => {
    const element = desk.current;
    element?.classList.toggle("page-desk--cards", hasAny);
    return () => element?.classList.remove("page-desk--cards");
  }, [desk, hasAny]);
  const latest = useRef(all);
  latest.current = all;
  const choose = useCallback(
    (wanted: string) => {
      const suggestion = latest.current.find(({ id }) => id === wanted);
      if (suggestion) show(editor, suggestion);
    },
    [editor],
  );
  const settle = (suggestion: Suggestion, verdict: "accept" | "reject") => {
    // As seen: what has been added since this card was drawn stays a suggestion.
    settleIn(editor, ({ id, run }) =>
      id === suggestion.id && (run === undefined || suggestion.runs.has(run)) ? verdict : "keep",
    );
    setSaid(verdict === "accept" ? t("Accepted.") : t("Rejected."));
    editor.commands.focus();
  };
  const shown = isNarrow ? all.filter((each) => each === active) : near;
  return (
    <aside className="suggestions" aria-label={t("Suggestions")} ref={list}>
      {shown.map((suggestion) => (
        <Card
          key={suggestion.id}
          suggestion={suggestion}
          isActive={suggestion === active}
          isOwn={suggestion.user === user}
          maySettle={maySettle && editor.isEditable}
          mayWithdraw={suggestion.user === user && editor.isEditable}
          onSettle={settle}
          onChoose={choose}
        />
      ))}
      <p className="ui-hidden" role="status">
        {said}
      </p>
    </aside>
  );
}

interface CardProps {
  readonly suggestion: Suggestion;
  readonly isActive: boolean;
  readonly isOwn: boolean;
  readonly maySettle: boolean;
  readonly mayWithdraw: boolean;
  readonly onSettle: (suggestion: Suggestion, verdict: "accept" | "reject") => void;
  readonly onChoose: (id: string) => void;
}

const Card = memo(function Card({
  suggestion,
  isActive,
  isOwn,
  maySettle,
  mayWithdraw,
  onSettle,
  onChoose,
}: CardProps) {
  const { id, user, at } = suggestion;
  const name = nameOf(user);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go from suggestion to suggestion in the text
    <article
      className="suggestion-card"
      data-of={id}
      data-active={isActive || undefined}
      aria-label={t("Suggestion by {name}", { name })}
      onClick={() => onChoose(id)}
    >
      <header className="suggestion-card-head">
        <Avatar name={name} color={colorOf(user)} />
        <div className="suggestion-card-who">
          <strong>{isOwn ? t("{name} (you)", { name }) : name}</strong>
          <time dateTime={new Date(at).toISOString()}>{relativeTime(new Date(at), new Date())}</time>
        </div>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: only keeps a press of a button from choosing the card */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
        <div className="suggestion-card-acts" onClick={(event) => event.stopPropagation()}>
          {maySettle && (
            <IconButton
              icon={Check}
              iconSize={17}
              size="small"
              label={t("Accept the suggestion")}
              onClick={() => onSettle(suggestion, "accept")}
            />
          )}
          {(maySettle || mayWithdraw) && (
            <IconButton
              icon={X}
              iconSize={17}
              size="small"
              label={isOwn ? t("Withdraw the suggestion") : t("Reject the suggestion")}
              onClick={() => onSettle(suggestion, "reject")}
            />
          )}
        </div>
      </header>
      <ul className="suggestion-card-lines">
        {linesOf(suggestion)
          .slice(0, 6)
          .map(({ act, words }) => (
            <li key={`${act}${words}`}>
              <b>{act}</b> <span>{words}</span>
            </li>
          ))}
      </ul>
    </article>
  );
}, isSameCard);

/** Where a suggestion stands changes with each letter before it: that moves its card, and draws no new one. */
function isSameCard(before: CardProps, after: CardProps): boolean {
  return (
    hasSameWords(before.suggestion, after.suggestion) &&
    before.isActive === after.isActive &&
    before.isOwn === after.isOwn &&
    before.maySettle === after.maySettle &&
    before.mayWithdraw === after.mayWithdraw
  );
}

/** The suggestions whose words are near what is seen. */
function useNear(editor: Editor, desk: RefObject<HTMLElement | null>, all: readonly Suggestion[]) {
  const [range, setRange] = useState<readonly [number, number]>([0, 0]);
  useEffect(() => {
    const element = desk.current;
    if (!element) return;
    let frame = 0;
    const look = () => {
      const { top, bottom } = element.getBoundingClientRect();
      const first = firstBelow(editor, all, top - AROUND);
      const last = firstBelow(editor, all, bottom + AROUND);
      setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]));
    };
    const later = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(look);
    };
    look();
    element.addEventListener("scroll", later, { passive: true });
    window.addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener("scroll", later);
      window.removeEventListener("resize", later);
    };
  }, [editor, desk, all]);
  return all.slice(range[0], range[1]);
}

/** The first suggestion that begins below a height of the window; few places are asked for, however many there are. */
function firstBelow(editor: Editor, all: readonly Suggestion[], height: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (topOf(editor, all[middle]?.from ?? 0) < height) low = middle + 1;
    else high = middle;
  }
  return low;
}

function topOf({ view }: Editor, at: number): number {
  try {
    return view.coordsAtPos(Math.min(at, view.state.doc.content.size)).top;
  } catch {
    // What is not drawn has no place.
    return 0;
  }
}

/** Puts each card beside its words, or below the card before it. */
function usePlaces(
  editor: Editor,
  desk: RefObject<HTMLElement | null>,
  list: RefObject<HTMLElement | null>,
  near: readonly Suggestion[],
): void {
  useLayoutEffect(() => {
    const [element, around] = [list.current, desk.current];
    if (!element || !around) return;
    const { top } = element.getBoundingClientRect();
    let below = 0;
    const places = new Map(near.map(({ id, from }) => [id, from]));
    for (const card of element.querySelectorAll<HTMLElement>(".suggestion-card")) {
      const from = places.get(card.dataset.of ?? "");
      if (from === undefined) {
        card.style.transform = "";
        continue;
      }
      const wanted = topOf(editor, from) - top;
      const place = Math.max(wanted, below);
      card.style.transform = `translateY(${Math.round(place)}px)`;
      below = place + card.offsetHeight + GAP;
    }
  });
}

function show({ state, view }: Editor, { from }: Suggestion): void {
  const at = Math.min(from + 1, state.doc.content.size);
  view.dispatch(state.tr.setSelection(TextSelection.near(state.doc.resolve(at))).scrollIntoView());
  view.focus();
}

function goTo(editor: Editor, all: readonly Suggestion[], way: 1 | -1): void {
  const { from } = editor.state.selection;
  const next =
    way === 1
      ? (all.find((each) => each.from >= from) ?? all[0])
      : (all.findLast((each) => each.to < from) ?? all.at(-1));
  if (next) show(editor, next);
}

/** Ctrl+Alt+Shift+. goes to the next suggestion, with a comma to the one before. */
function useStepKeys(step: (way: 1 | -1) => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!event.altKey || !event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
      if (!/^(Period|Comma)$/.test(event.code)) return;
      event.preventDefault();
      step(/^Period$/.test(event.code) ? 1 : -1);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [step]);
}

/** Each author's words have a colour of their own. */
function useAuthorColors(all: readonly Suggestion[]): void {
  const users = [...new Set(all.map(({ user }) => user))].sort().join("\n");
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    for (const user of users.split("\n")) {
      sheet.insertRule(`[data-by="${CSS.escape(user)}"] { --by: ${colorOf(user)}; }`);
    }
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    };
  }, [users]);
}
