/** The button that is an icon: its label is read out and shown as a tooltip. */
import type { LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";
import { classes } from "./classes";
import { Tooltip } from "./Tooltip";
import "./IconButton.css";

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children" | "aria-label"> {
  readonly icon: LucideIcon;
  readonly label: string;
  /** Keys as a person reads them, for instance "Ctrl+B". */
  readonly shortcut?: string;
  /** Makes it a toggle: sets aria-pressed. */
  readonly pressed?: boolean;
  readonly size?: "medium" | "small";
  readonly iconSize?: number;
}

export function IconButton({
  icon: Icon,
  label,
  shortcut,
  pressed,
  size = "medium",
  iconSize = 18,
  className,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip label={label} {...(shortcut === undefined ? {} : { shortcut })}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        aria-pressed={pressed}
        className={classes("ui-icon-button", size === "small" && "ui-icon-button--small", className)}
      >
        <Icon aria-hidden="true" size={iconSize} />
      </button>
    </Tooltip>
  );
}
