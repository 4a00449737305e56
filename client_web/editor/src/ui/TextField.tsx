/** A labelled line of text, with a hint or what is wrong with it. */
import type { LucideIcon } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "./classes";
import "./TextField.css";

export interface TextFieldProps extends ComponentProps<"input"> {
  readonly label: string;
  /** Keeps the label for screen readers only, where an icon or a placeholder says it. */
  readonly labelHidden?: boolean;
  readonly icon?: LucideIcon;
  readonly hint?: string;
  readonly error?: string | null;
  /** A control inside the field, at its end. */
  readonly trailing?: ReactNode;
}

export function TextField({
  label,
  labelHidden = false,
  icon: Icon,
  hint,
  error,
  trailing,
  className,
  id,
  ...rest
}: TextFieldProps) {
  const ownId = useId();
  const fieldId = id ?? ownId;
  const note = error || hint;
  return (
    <div className={classes("ui-field", className)}>
      <label htmlFor={fieldId} className={labelHidden ? "ui-hidden" : "ui-field-label"}>
        {label}
      </label>
      <div className="ui-field-box">
        {Icon && <Icon aria-hidden="true" size={17} className="ui-field-icon" />}
        <input
          type="text"
          {...rest}
          id={fieldId}
          className="ui-field-input"
          aria-invalid={error ? true : undefined}
          aria-describedby={note ? `${fieldId}-note` : undefined}
        />
        {trailing}
      </div>
      {note && (
        <p id={`${fieldId}-note`} className={classes("ui-field-note", error && "ui-field-note--error")}>
          {note}
        </p>
      )}
    </div>
  );
}
