/** The documents that were opened on this device, for when the server cannot be reached or cannot list any. */
import { CloudOff, FileText } from "lucide-react";
import { Link } from "wouter";
import { explain, NetworkError } from "../api/api";
import { useKnownDocuments } from "../api/knownDocuments";
import { t } from "../i18n/t";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Failure, NoResults, Unreachable } from "./documentsStates";
import { fullTime, relativeTime, timeWords } from "./times";
import { shownTitle } from "./titles";
import { useNow } from "./useNow";

export interface OfflineDocumentsProps {
  /** Why there is no list of the server's. */
  readonly error: unknown;
  readonly query: string;
  readonly onClearSearch: () => void;
  readonly onRetry: () => void;
}

export function OfflineDocuments({ error, query, onClearSearch, onRetry }: OfflineDocumentsProps) {
  const now = useNow();
  const known = useKnownDocuments();
  const isSilent = error instanceof NetworkError && !error.intercepted;
  if (known.length === 0)
    return isSilent ? <Unreachable onRetry={onRetry} /> : <Failure error={error} onRetry={onRetry} />;

  const wanted = query.toLocaleLowerCase();
  const found = known.filter((document) => shownTitle(document.title).toLocaleLowerCase().includes(wanted));
  return (
    <>
      <Banner
        icon={CloudOff}
        tone="warning"
        action={
          <Button size="small" onClick={onRetry}>
            {t("Try again")}
          </Button>
        }
      >
        {isSilent ? error.message : explain(error)}{" "}
        {t(
          "These documents were opened on this device: you can go on writing in them, and your changes are kept here until the connection is back.",
        )}
      </Banner>
      {found.length === 0 && <NoResults query={query} onClear={onClearSearch} />}
      {found.length > 0 && (
        <section className="documents-group">
          <h2 className="documents-group-heading">{t("On this device")}</h2>
          <ul className="documents-rows">
            {found.map(({ id, title, openedAt }) => (
              <li key={id} className="documents-row">
                <FileText className="documents-row-icon" aria-hidden="true" size={20} strokeWidth={1.6} />
                <div className="documents-row-words">
                  <Link href={`/d/${id}`} className="documents-row-link" dir="auto">
                    {shownTitle(title)}
                  </Link>
                  <time className="documents-row-time" title={fullTime(new Date(openedAt))}>
                    {timeWords("opened", relativeTime(new Date(openedAt), now))}
                  </time>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
