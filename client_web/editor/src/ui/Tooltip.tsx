/** A tooltip for a control that has no words of its own; it repeats the label and adds the shortcut. */
import { Tooltip as Primitive } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { Keys } from "./Keys";
import { useLayer } from "./layer";
import "./Tooltip.css";

export interface TooltipProps {
  readonly label: string;
  readonly shortcut?: string;
  readonly side?: "top" | "right" | "bottom" | "left";
  /** One element that takes a ref and spreads its props. */
  readonly children: ReactElement;
}

export function Tooltip({ label, shortcut, side = "bottom", children }: TooltipProps) {
  const layer = useLayer<HTMLButtonElement>();
  return (
    <Primitive.Root {...layer.root}>
      <Primitive.Trigger asChild ref={layer.trigger}>
        {children}
      </Primitive.Trigger>
      <Primitive.Portal container={layer.container}>
        <Primitive.Content className="ui-tooltip" side={side} sideOffset={6} collisionPadding={8}>
          {label}
          {shortcut !== undefined && <Keys shortcut={shortcut} />}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** Shared delays: the second tooltip in a row opens at once. */
export function TooltipProvider({ children }: { readonly children: ReactNode }) {
  return (
    <Primitive.Provider delayDuration={450} skipDelayDuration={250} disableHoverableContent>
      {children}
    </Primitive.Provider>
  );
}
