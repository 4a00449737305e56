/** The form for a picture's description: words for people who cannot see it, or that it only decorates. */

import { LONGEST_CAPTION } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import type { Attrs } from "@tiptap/pm/model";
import { type FormEvent, useId, useState } from "react";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";

export interface DescriptionFormProps {
  readonly editor: Editor;
  readonly attrs: Attrs;
  readonly onDone: () => void;
}

export function DescriptionForm({ editor, attrs, onDone }: DescriptionFormProps) {
  const id = useId();
  const [words, setWords] = useState(typeof attrs.alt === "string" ? attrs.alt : "");
  const [isDecoration, setDecoration] = useState(attrs.alt === "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const described = words.trim();
    const alt = isDecoration ? "" : described || null;
    editor.commands.updateAttributes("image", { alt });
    onDone();
  };
  return (
    <form onSubmit={submit} className="page-picture-form">
      <label htmlFor={id} className="ui-field-label">
        {t("Description")}
      </label>
      <textarea
        id={id}
        className="ui-textarea"
        rows={3}
        maxLength={LONGEST_CAPTION}
        value={words}
        disabled={isDecoration}
        aria-describedby={`${id}-why`}
        placeholder={t("Two people plant a tree.")}
        onChange={({ target }) => setWords(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
        }}
      />
      <p id={`${id}-why`} className="ui-field-note">
        {t("Say what the picture shows, for people who cannot see it.")}
      </p>
      <label className="page-picture-decoration">
        <input
          type="checkbox"
          checked={isDecoration}
          onChange={({ target }) => setDecoration(target.checked)}
        />
        {t("It only decorates the page")}
      </label>
      <div className="page-link-buttons">
        <Button size="small" variant="ghost" onClick={onDone}>
          {t("Not now")}
        </Button>
        <Button size="small" variant="primary" type="submit">
          {t("Save")}
        </Button>
      </div>
    </form>
  );
}
