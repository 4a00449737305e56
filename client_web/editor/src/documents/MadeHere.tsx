/** Documents that were made on this device without a connection, and that the server does not have yet. */
import { FileText } from "lucide-react";
import { Link } from "wouter";
import { useKnownDocuments } from "../api/knownDocuments";
import { useMadeHere } from "../api/waiting";
import { t } from "../i18n/t";
import { shownTitle } from "./titles";

export function MadeHere() {
  const ids = useMadeHere();
  const known = useKnownDocuments();
  if (ids.length === 0) return null;
  return (
    <section className="documents-group">
      <h2 className="documents-group-heading">{t("On this device, not sent yet")}</h2>
      <ul className="documents-rows">
        {ids.map((id) => (
          <li key={id} className="documents-row">
            <FileText className="documents-row-icon" aria-hidden="true" size={20} strokeWidth={1.6} />
            <div className="documents-row-words">
              <Link href={`/d/${id}`} className="documents-row-link" dir="auto">
                {shownTitle(known.find((document) => document.id === id)?.title ?? "")}
              </Link>
              <span className="documents-row-time">{t("Open it to send it")}</span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
