/** The page for an address that leads nowhere. */
import { Link } from "wouter";
import { EmptyState } from "./EmptyState";
import { Mark } from "./Mark";
import { usePageTitle } from "./usePageTitle";

export function NotFoundPage() {
  usePageTitle("Not found");
  return (
    <main>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title="There is nothing at this address"
        action={
          <Link href="/" className="ui-button ui-button--primary">
            Go to the documents
          </Link>
        }
      >
        <p>The link may be incomplete, or not meant for you. Ask whoever sent it to copy it once more.</p>
      </EmptyState>
    </main>
  );
}
