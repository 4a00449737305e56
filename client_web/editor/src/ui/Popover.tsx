/** A small panel beside the control that opened it, or beside any rectangle; focus goes in and comes back. */
import { Popover as Primitive } from "radix-ui";
import type { ComponentProps, ReactElement, ReactNode } from "react";
import { classes } from "./classes";
import "./Popover.css";

export interface PopoverProps {
  /** What is read out when the panel opens. */
  readonly label: string;
  readonly children: ReactNode;
  /** The button that opens it; absent when `anchor` says where a panel that is opened by state belongs. */
  readonly trigger?: ReactElement;
  readonly anchor?: ComponentProps<typeof Primitive.Anchor>["virtualRef"];
  readonly align?: "start" | "center" | "end";
  readonly side?: "top" | "right" | "bottom" | "left";
  readonly open?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
  readonly onOpenAutoFocus?: (event: Event) => void;
  readonly onCloseAutoFocus?: (event: Event) => void;
  readonly className?: string;
}

export function Popover({
  label,
  children,
  trigger,
  anchor,
  align = "center",
  side = "bottom",
  open,
  onOpenChange,
  className,
  ...focus
}: PopoverProps) {
  return (
    <Primitive.Root {...(open === undefined ? {} : { open })} {...(onOpenChange ? { onOpenChange } : {})}>
      {trigger && <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>}
      {anchor && <Primitive.Anchor virtualRef={anchor} />}
      <Primitive.Portal>
        <Primitive.Content
          aria-label={label}
          className={classes("ui-popover", className)}
          align={align}
          side={side}
          sideOffset={8}
          collisionPadding={8}
          {...focus}
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** Closes the popover around it: `<PopoverClose><Button>Done</Button></PopoverClose>`. */
export function PopoverClose({ children }: { readonly children: ReactElement }) {
  return <Primitive.Close asChild>{children}</Primitive.Close>;
}
