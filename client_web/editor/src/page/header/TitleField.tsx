/** The document's title, changed in place: Enter and leaving the field save it, Escape takes it back. */

import { type KeyboardEvent, memo, useRef, useState } from "react";

export interface TitleFieldProps {
  /** As everybody has it at the moment. */
  readonly title: string;
  readonly readOnly: boolean;
  /** Saves the title; when it fails, the title is again what everybody has, and the caller has said why. */
  readonly onRename: (title: string) => Promise<void>;
}

const LONGEST_TITLE = 300;

export const TitleField = memo(function TitleField({ title, readOnly, onRename }: TitleFieldProps) {
  /** What is typed or on its way; null shows the title that everybody has. */
  const [draft, setDraft] = useState<string | null>(null);
  const isReverting = useRef(false);

  const commit = async () => {
    const wanted = draft?.trim() ?? "";
    if (isReverting.current || wanted === "" || wanted === title) {
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
    if (event.key === "Escape") isReverting.current = true;
    if (event.key === "Escape" || (event.key === "Enter" && !event.nativeEvent.isComposing)) {
      event.preventDefault();
      event.currentTarget.blur();
    }
  };
  return (
    <input
      className="page-title"
      dir="auto"
      aria-label="Title of the document"
      title={draft ?? title}
      placeholder="Untitled document"
      value={draft ?? title}
      maxLength={LONGEST_TITLE}
      readOnly={readOnly}
      spellCheck="false"
      autoComplete="off"
      onFocus={({ target }) => {
        if (title === "" || /^untitled/i.test(title)) target.select();
      }}
      onChange={({ target }) => setDraft(target.value)}
      onBlur={() => void commit()}
      onKeyDown={onKeyDown}
    />
  );
});
