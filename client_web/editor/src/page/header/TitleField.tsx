/** The document's title, changed in place: leaving the field saves it, Escape takes it back. Enter and ↓ lead to the text. */

import { type KeyboardEvent, memo, useRef, useState } from "react";
import { isUntitled } from "../../documents/titles";
import { t } from "../../i18n/t";

export interface TitleFieldProps {
  /** As everybody has it at the moment. */
  readonly title: string;
  readonly readOnly: boolean;
  /** Saves the title; when it fails, the title is again what everybody has, and the caller has said why. */
  readonly onRename: (title: string) => Promise<void>;
  /** Puts the cursor into the text. */
  readonly onGoToText: () => void;
}

const LONGEST_TITLE = 300;

export const TitleField = memo(function TitleField({
  title,
  readOnly,
  onRename,
  onGoToText,
}: TitleFieldProps) {
  /** What is typed or on its way; null shows the title that everybody has. */
  const [draft, setDraft] = useState<string | null>(null);
  const isReverting = useRef(false);

  const commit = async () => {
    // An empty title lets the document be called by its first line.
    const wanted = draft?.trim() ?? title;
    if (isReverting.current || wanted === title) {
      isReverting.current = false;
      setDraft(null);
      return;
    }
    setDraft(wanted);
    try {
      await onRename(wanted);
    } finally {
      setDraft((now) => (now === wanted ? null : now));
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") isReverting.current = true;
    const isDown = event.key === "Enter" || event.key === "ArrowDown";
    if (event.key === "Escape" || isDown) {
      event.preventDefault();
      event.currentTarget.blur();
    }
    if (isDown) onGoToText();
  };
  return (
    <h1 className="page-title-heading">
      <input
        className="page-title"
        dir="auto"
        aria-label={t("Title of the document")}
        title={draft ?? title}
        placeholder={t("Untitled document")}
        value={draft ?? title}
        maxLength={LONGEST_TITLE}
        readOnly={readOnly}
        spellCheck="false"
        autoComplete="off"
        onFocus={({ target }) => {
          if (isUntitled(title)) target.select();
        }}
        onChange={({ target }) => setDraft(target.value)}
        onBlur={() => void commit()}
        onKeyDown={onKeyDown}
      />
    </h1>
  );
});
