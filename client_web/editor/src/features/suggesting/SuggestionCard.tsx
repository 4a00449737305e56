/** A suggestion as a card: who suggests what, what one may do with it, and below what is said about it. */

import { Check, MessageSquarePlus, X } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { IconButton } from "../../ui/IconButton";
import { Time } from "../margin/Time";
import type { Suggestion } from "./list";
import { colorOf, nameOf } from "./people";
import { linesOf } from "./words";
import "./suggesting.css";

export interface SuggestionCardProps {
  readonly suggestion: Suggestion;
  readonly isOwn: boolean;
  readonly maySettle: boolean;
  readonly mayWithdraw: boolean;
  readonly onSettle: (suggestion: Suggestion, verdict: "accept" | "reject") => void;
  /** Begins a discussion; without it, nobody can begin one here. */
  readonly onDiscuss: (() => void) | null;
  readonly children?: ReactNode;
}

/** Lines of a card. */
const MOST_LINES = 6;

export function SuggestionCard(props: SuggestionCardProps) {
  const { suggestion, isOwn, maySettle, mayWithdraw, onSettle, onDiscuss, children } = props;
  const name = nameOf(suggestion.user);
  const lines = linesOf(suggestion);
  const hidden = lines.length - MOST_LINES;
  return (
    <article className="suggestion-card" aria-label={t("Suggestion by {name}", { name })} tabIndex={-1}>
      <header className="suggestion-card-head">
        <Avatar name={name} color={colorOf(suggestion.user)} size={26} aria-hidden="true" />
        <div className="card-by">
          <strong>{isOwn ? t("{name} (you)", { name }) : name}</strong>
          <Time at={new Date(suggestion.at).toISOString()} />
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
        {lines.slice(0, MOST_LINES).map(({ act, words }) => (
          <li key={`${act}${words}`}>
            <b>{act}</b> <span>{words}</span>
          </li>
        ))}
        {hidden > 0 && (
          <li>
            {t("{count, plural, one {and one more change} other {and # more changes}}", { count: hidden })}
          </li>
        )}
      </ul>
      {children}
      {onDiscuss && (
        <button type="button" className="suggestion-card-discuss" onClick={onDiscuss}>
          <MessageSquarePlus aria-hidden="true" size={15} /> {t("Discuss")}
        </button>
      )}
    </article>
  );
}
