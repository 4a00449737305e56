/** A crash in a view leaves a page with a way on. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { ErrorBoundary } from "../../src/ui/ErrorBoundary";

afterEach(cleanup);

function Crashing(): never {
  throw new Error("the sky fell");
}

function Sometimes({ isBroken }: { readonly isBroken: () => boolean }) {
  return isBroken() ? <Crashing /> : <p>Back</p>;
}

/** The crash is part of the story: React need not print it. */
const EXPECTED = { onCaughtError: () => undefined };

test("says that the documents are safe and what happened", () => {
  render(
    <ErrorBoundary>
      <Crashing />
    </ErrorBoundary>,
    EXPECTED,
  );
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("This page has stopped working");
  expect(screen.getByText("the sky fell")).toBeTruthy();
});

test("a page's own fallback can try again", () => {
  let broken = true;
  render(
    <ErrorBoundary
      fallback={(_, retry) => (
        <button type="button" onClick={retry}>
          Retry
        </button>
      )}
    >
      <Sometimes isBroken={() => broken} />
    </ErrorBoundary>,
    EXPECTED,
  );
  broken = false;
  fireEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(screen.getByText("Back")).toBeTruthy();
});
