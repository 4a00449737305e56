/** The question for a day: the browser's own field for dates, with its calendar, beside the cursor.
 *
 * That field takes keys, is read out, and shows weeks and numbers as people of this browser know them; phones have their own wheel.
 */

import type { Editor } from "@tiptap/core";
import { type FormEvent, type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react";
import { t } from "../../i18n/t";
import { Floating } from "../../page/Floating";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/TextField";
import { closeDay, writeDay } from "./day_asking";
import { isoOf, ofIso } from "./days";

export function DayForm({ editor }: { readonly editor: Editor }) {
  const [written, setWritten] = useState(() => isoOf(new Date()));
  const field = useRef<HTMLInputElement>(null);
  const beside = useCallback(() => {
    if (editor.isDestroyed) return null;
    const { left, top, bottom } = editor.view.coordsAtPos(editor.state.selection.from);
    return new DOMRect(left, top, 0, bottom - top);
  }, [editor]);
  useEffect(() => {
    field.current?.focus({ preventScroll: true });
    try {
      field.current?.showPicker();
    } catch {
      // Browsers open it only soon after a key or a press; the field has a button for it.
    }
  }, []);
  const day = ofIso(written);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (day) writeDay(editor, day);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closeDay(editor);
  };
  return (
    <Floating editor={editor} label={t("Choose a date…")} beside={beside} side="below">
      <form className="page-day-form" onSubmit={submit} onKeyDown={onKeyDown}>
        <TextField
          ref={field}
          type="date"
          label={t("Date")}
          labelHidden
          required
          max="9999-12-31"
          value={written}
          onChange={({ target }) => setWritten(target.value)}
        />
        <Button size="small" variant="primary" type="submit" disabled={!day}>
          {t("Insert")}
        </Button>
      </form>
    </Floating>
  );
}
