/** The button with words on it, in four weights. */
import type { LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";
import { classes } from "./classes";
import { Spinner } from "./Spinner";
import "./Button.css";

export type ButtonVariant = "primary" | "secondary" | "ghost" | "danger";

export interface ButtonProps extends ComponentProps<"button"> {
  readonly variant?: ButtonVariant;
  readonly size?: "medium" | "small" | "large";
  readonly icon?: LucideIcon;
  /** Shows a spinner and takes no more presses; the button keeps its width and its focus. */
  readonly busy?: boolean;
}

export function Button({
  variant = "secondary",
  size = "medium",
  icon: Icon,
  busy = false,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={classes(
        "ui-button",
        `ui-button--${variant}`,
        size !== "medium" && `ui-button--${size}`,
        className,
      )}
    >
      {busy ? <Spinner /> : Icon && <Icon aria-hidden="true" size={size === "small" ? 15 : 17} />}
      {children}
    </button>
  );
}
