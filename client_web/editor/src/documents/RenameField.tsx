/** A title that is being changed in its place: Enter or leaving saves it, Escape leaves it as it was. */
import { type KeyboardEvent, useEffect, useRef } from "react";
import { t } from "../i18n/t";
import { LONGEST_TITLE } from "./titles";

export interface RenameFieldProps {
  readonly title: string;
  /** Called once, with the new title or null when it stays. `byKey` says that focus should return to the row. */
  readonly onDone: (title: string | null, byKey: boolean) => void;
}

export function RenameField({ title, onDone }: RenameFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);

  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  const finish = (text: string, byKey: boolean) => {
    if (done.current) return;
    done.current = true;
    const changed = text.trim();
    onDone(changed === title ? null : changed, byKey);
  };
  const whenPressed = (event: KeyboardEvent<HTMLInputElement>) => {
    event.stopPropagation();
    // An Enter or Escape that ends the composition of a character belongs to the input method.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") finish(event.currentTarget.value, true);
    if (event.key === "Escape") finish(title, true);
  };

  return (
    <input
      ref={input}
      className="documents-rename"
      dir="auto"
      aria-label={t("Title of the document")}
      defaultValue={title}
      maxLength={LONGEST_TITLE}
      spellCheck={false}
      onKeyDown={whenPressed}
      onBlur={(event) => finish(event.currentTarget.value, false)}
    />
  );
}
