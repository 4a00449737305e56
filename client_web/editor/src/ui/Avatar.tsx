/** A person as a disc in their colour with their initials. */
import type { ComponentProps, CSSProperties } from "react";
import { classes } from "./classes";
import { inkOn } from "./color";
import "./Avatar.css";

export interface AvatarProps extends Omit<ComponentProps<"span">, "color" | "children"> {
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
  /** Pixels. */
  readonly size?: number;
}

/** Says the person's name to screen readers; inside a labelled button pass `aria-hidden`. */
export function Avatar({ name, color, size = 30, className, ...rest }: AvatarProps) {
  const style = { "--avatar-color": color, "--avatar-ink": inkOn(color), "--avatar-size": `${size}px` };
  return (
    <span
      role="img"
      aria-label={name}
      {...rest}
      className={classes("ui-avatar", className)}
      style={style as CSSProperties}
    >
      {initials(name)}
    </span>
  );
}

/** Returns the first letters of the first and the last word, whole characters also beyond the BMP. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words.slice(0, 1);
  const letters = ends.map((word) => Array.from(word ?? "")[0] ?? "");
  return letters.join("").toLocaleUpperCase() || "?";
}
