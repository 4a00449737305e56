/** The card of a link: where it leads, and what can be done with it. */

import { isAllowedHref } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import { Copy, ExternalLink, FileText, Hash, Pencil, Unlink } from "lucide-react";
import { useEffect, useState } from "react";
import { useApi } from "../../api/ApiContext";
import { shownTitle } from "../../documents/titles";
import { t } from "../../i18n/t";
import { IconButton } from "../../ui/IconButton";
import { anchorIn, documentIn } from "./address";
import { goToHeading, headingAt } from "./anchors";

export interface LinkCardProps {
  readonly editor: Editor;
  readonly href: string;
  readonly onCopy: (address: string) => void;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

export function LinkCard({ editor, href, onCopy, onEdit, onRemove }: LinkCardProps) {
  return (
    <div className="page-link-card">
      <Target editor={editor} href={href} />
      {isAllowedHref(href) && (
        <IconButton
          icon={Copy}
          iconSize={16}
          size="small"
          label={t("Copy the address")}
          onClick={() => onCopy(new URL(href, location.href).href)}
        />
      )}
      {editor.isEditable && (
        <>
          <IconButton icon={Pencil} iconSize={16} size="small" label={t("Edit the link")} onClick={onEdit} />
          <IconButton
            icon={Unlink}
            iconSize={16}
            size="small"
            label={t("Remove the link")}
            onClick={onRemove}
          />
        </>
      )}
    </div>
  );
}

function Target({ editor, href }: { readonly editor: Editor; readonly href: string }) {
  const anchor = anchorIn(href);
  const documentId = documentIn(href);
  const title = useTitle(anchor === null ? documentId : null);
  if (!isAllowedHref(href))
    return <span className="page-link-address">{t("This address is not allowed")}</span>;
  if (anchor !== null) {
    const heading = headingAt(editor, anchor);
    if (!heading)
      return <span className="page-link-address">{t("The heading is not in the document any more")}</span>;
    return (
      <button type="button" className="page-link-address" onClick={() => goToHeading(editor, heading.at)}>
        <Hash aria-hidden="true" size={15} />
        <span>{heading.text}</span>
      </button>
    );
  }
  const Icon = documentId === null ? ExternalLink : FileText;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className="page-link-address">
      <Icon aria-hidden="true" size={15} />
      <span>{title ?? href.replace(/^(https?:\/\/|mailto:)/, "")}</span>
    </a>
  );
}

/** The title of a document of this server; null while it is not known, or for nobody to know. */
function useTitle(documentId: string | null): string | null {
  const api = useApi();
  const [known, setKnown] = useState<{ readonly id: string; readonly title: string } | null>(null);
  useEffect(() => {
    if (documentId === null) return;
    const gone = new AbortController();
    api.getDocument(documentId, gone.signal).then(
      ({ title }) => setKnown({ id: documentId, title: shownTitle(title) }),
      () => undefined,
    );
    return () => gone.abort();
  }, [api, documentId]);
  return known?.id === documentId ? known.title : null;
}
