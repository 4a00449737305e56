/** What a page says when it has nothing to show: a picture, a sentence, a way on. */
import type { ReactNode } from "react";
import "./EmptyState.css";

export interface EmptyStateProps {
  readonly picture?: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
  /** Buttons or links. */
  readonly action?: ReactNode;
  /** The page's main heading when it stands alone. */
  readonly level?: 1 | 2;
}

export function EmptyState({ picture, title, children, action, level = 2 }: EmptyStateProps) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <section className="ui-empty">
      {picture && (
        <div className="ui-empty-picture" aria-hidden="true">
          {picture}
        </div>
      )}
      <Heading className="ui-empty-title">{title}</Heading>
      {children && <div className="ui-empty-words">{children}</div>}
      {action && <div className="ui-empty-action">{action}</div>}
    </section>
  );
}
