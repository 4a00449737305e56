/** Catches a crash in the view below it and offers a way on instead of a blank page. */
import { Component, type ReactNode } from "react";
import { t } from "../i18n/t";
import { Button } from "./Button";
import { EmptyState } from "./EmptyState";
import { Mark } from "./Mark";

export interface ErrorBoundaryProps {
  readonly children: ReactNode;
  /** Shown instead of the general page, unless it is nothing; `retry` mounts the children anew. */
  readonly fallback?: (error: unknown, retry: () => void) => ReactNode;
}

interface State {
  readonly failure: { readonly error: unknown } | null;
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = { failure: null };

  static getDerivedStateFromError(error: unknown): State {
    return { failure: { error } };
  }

  private readonly retry = () => this.setState({ failure: null });

  override render(): ReactNode {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return this.props.fallback?.(failure.error, this.retry) || <Crash error={failure.error} />;
  }
}

function Crash({ error }: { readonly error: unknown }) {
  return (
    <main>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title={t("This page has stopped working")}
        action={
          <Button variant="primary" onClick={() => window.location.reload()}>
            {t("Reload the page")}
          </Button>
        }
      >
        <p>
          {t("Your documents are safe: what was saved is on the server, the rest is kept on this device.")}
        </p>
        <p>
          <code>{error instanceof Error ? error.message : String(error)}</code>
        </p>
      </EmptyState>
    </main>
  );
}
