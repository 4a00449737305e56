/** A dialog that must be answered before work goes on, and the confirmation that most of them are. */
import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { t } from "../i18n/t";
import { Button } from "./Button";
import { classes } from "./classes";
import "./Dialog.css";

export interface DialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: ReactNode;
  readonly description?: ReactNode;
  readonly children?: ReactNode;
  /** Buttons, the most harmless first. */
  readonly footer?: ReactNode;
  readonly size?: "small" | "medium" | "large";
  /** `event.preventDefault()` and focus something else than the first control. */
  readonly onOpenAutoFocus?: (event: Event) => void;
}

export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  footer,
  size = "small",
  onOpenAutoFocus,
}: DialogProps) {
  // Most dialogs are opened by a key or a menu's command: there is no trigger that could have the focus back.
  const focusedBefore = useRef<Element | null>(null);
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="ui-dialog-scrim" />
        <Primitive.Content
          className={classes("ui-dialog", `ui-dialog--${size}`)}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
          onOpenAutoFocus={(event) => {
            focusedBefore.current = document.activeElement;
            onOpenAutoFocus?.(event);
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (focusedBefore.current instanceof HTMLElement) focusedBefore.current.focus();
          }}
        >
          <header className="ui-dialog-header">
            <Primitive.Title className="ui-dialog-title">{title}</Primitive.Title>
            <Primitive.Close className="ui-icon-button ui-icon-button--small" aria-label={t("Close")}>
              <X aria-hidden="true" size={17} />
            </Primitive.Close>
          </header>
          {description !== undefined && (
            <Primitive.Description className="ui-dialog-description">{description}</Primitive.Description>
          )}
          {children}
          {footer && <footer className="ui-dialog-footer">{footer}</footer>}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

export interface ConfirmDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: ReactNode;
  readonly description: ReactNode;
  readonly confirmLabel: string;
  readonly cancelLabel?: string;
  readonly tone?: "plain" | "danger";
  readonly busy?: boolean;
  /** Called on the press; the caller closes the dialog, at once or when the work is done. */
  readonly onConfirm: () => void;
}

/** Focus starts on the harmless answer. */
export function ConfirmDialog({
  confirmLabel,
  cancelLabel = t("Cancel"),
  tone = "plain",
  busy = false,
  onConfirm,
  ...dialog
}: ConfirmDialogProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <Dialog
      {...dialog}
      onOpenAutoFocus={(event) => {
        event.preventDefault();
        cancel.current?.focus();
      }}
      footer={
        <>
          <Button ref={cancel} onClick={() => dialog.onOpenChange(false)}>
            {cancelLabel}
          </Button>
          <Button variant={tone === "danger" ? "danger" : "primary"} busy={busy} onClick={onConfirm}>
            {confirmLabel}
          </Button>
        </>
      }
    />
  );
}
