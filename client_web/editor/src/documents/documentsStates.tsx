/** What the documents page says when there is no list to show. */
import { CloudOff, Plus, SearchX, Star, Trash2, TriangleAlert, Users } from "lucide-react";
import { explain } from "../api/api";
import { rich, t } from "../i18n/t";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { Keys } from "../ui/Keys";
import { Skeleton } from "../ui/Skeleton";
import { WritingPicture } from "./pictures";
import { NEW_DOCUMENT_KEYS } from "./useShortcuts";

export interface NoDocumentsProps {
  readonly onCreate: () => void;
  readonly creating: boolean;
}

export function NoDocuments({ onCreate, creating }: NoDocumentsProps) {
  return (
    <EmptyState
      picture={<WritingPicture />}
      title={t("Write something together")}
      action={
        <>
          <Button variant="primary" size="large" icon={Plus} busy={creating} onClick={onCreate}>
            {t("New document")}
          </Button>
          <p className="documents-tip">
            {rich("or press {keys}", { keys: <Keys shortcut={NEW_DOCUMENT_KEYS} /> })}
          </p>
        </>
      }
    >
      <p>
        {t(
          "Manyhands is a place to write with others, on a server of your own. Make a document and send its link: everybody sees every change as it is typed, and what says “Saved” is kept.",
        )}
      </p>
    </EmptyState>
  );
}

export function EmptyTrash() {
  return (
    <EmptyState picture={<Trash2 size={44} strokeWidth={1.3} />} title={t("The trash is empty")}>
      <p>{t("Documents that you throw away stay here until they are restored, or deleted for ever.")}</p>
    </EmptyState>
  );
}

export function NothingShared() {
  return (
    <EmptyState picture={<Users size={44} strokeWidth={1.3} />} title={t("Nothing is shared with you yet")}>
      <p>
        {t(
          "Documents of other people are listed here once they have added you, or you have opened their link.",
        )}
      </p>
    </EmptyState>
  );
}

export function NothingStarred() {
  return (
    <EmptyState picture={<Star size={44} strokeWidth={1.3} />} title={t("Nothing has your star yet")}>
      <p>
        {t(
          "Press the star in a document’s row, and the document stays here at hand. Only you see your stars.",
        )}
      </p>
    </EmptyState>
  );
}

export interface NoResultsProps {
  readonly query: string;
  readonly label?: string;
  readonly onClear: () => void;
}

export function NoResults({ query, label = "", onClear }: NoResultsProps) {
  return (
    <EmptyState
      picture={<SearchX size={44} strokeWidth={1.3} />}
      title={t("No results")}
      action={<Button onClick={onClear}>{t("Clear the search")}</Button>}
    >
      <p>
        {label === ""
          ? t("No title and no first lines contain “{query}”.", { query })
          : query === ""
            ? t("Nothing here has the label “{label}”.", { label })
            : t("Nothing with the label “{label}” contains “{query}” in its title or first lines.", {
                label,
                query,
              })}
      </p>
    </EmptyState>
  );
}

export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <EmptyState
      picture={<TriangleAlert size={44} strokeWidth={1.3} />}
      title={t("The documents cannot be listed")}
      action={
        <Button variant="primary" onClick={onRetry}>
          {t("Try again")}
        </Button>
      }
    >
      <p>{explain(error)}</p>
    </EmptyState>
  );
}

export function Unreachable({ onRetry }: { readonly onRetry: () => void }) {
  return (
    <EmptyState
      picture={<CloudOff size={44} strokeWidth={1.3} />}
      title={t("The server cannot be reached")}
      action={
        <Button variant="primary" onClick={onRetry}>
          {t("Try again")}
        </Button>
      }
    >
      <p>{t("Documents that you open on this device will be listed here even without a connection.")}</p>
    </EmptyState>
  );
}

const SKELETON_WIDTHS = ["38%", "54%", "29%", "46%", "33%", "50%"];

export function LoadingRows() {
  return (
    <div className="documents-group" role="status">
      <span className="ui-hidden">{t("Loading the documents…")}</span>
      <div className="documents-rows">
        {SKELETON_WIDTHS.map((width) => (
          <div key={width} className="documents-row">
            <Skeleton width="20px" height="20px" />
            <div className="documents-row-words">
              <Skeleton width={width} />
              <Skeleton width="6.5rem" height="0.65em" />
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
