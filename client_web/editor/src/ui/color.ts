/** Colours of people: which ink is readable on them (WCAG 2.2, relative luminance). */
import { t } from "../i18n/t";

export const DARK_INK = "#1f1e1b";
export const LIGHT_INK = "#ffffff";

/** Of words on their ground. */
const LEAST_CONTRAST = 4.5;

/** Names of the colours offered to people; each colour carries one of the two inks with a contrast of at least 4.5 : 1. */
export const PERSON_COLOR_NAMES: Readonly<Record<string, string>> = {
  "#c2410c": t("Rust"),
  "#b45309": t("Amber"),
  "#4d7c0f": t("Olive"),
  "#047857": t("Green"),
  "#0f766e": t("Teal"),
  "#0369a1": t("Sea blue"),
  "#1d4ed8": t("Blue"),
  "#6d28d9": t("Purple"),
  "#a21caf": t("Magenta"),
  "#be123c": t("Crimson"),
  "#f4a259": t("Apricot"),
  "#7dc4b8": t("Mint"),
};

export const PERSON_COLORS: readonly string[] = Object.keys(PERSON_COLOR_NAMES);

/** Returns the contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Returns the ink that stands out more on `background`; anything but `#rrggbb` counts as dark. */
export function inkOn(background: string): string {
  return contrast(background, LIGHT_INK) >= contrast(background, DARK_INK) ? LIGHT_INK : DARK_INK;
}

/** Returns a colour in which words can be read on white: the colour itself, or one as much darker as that takes. */
export function asInk(color: string): string {
  if (contrast(color, LIGHT_INK) >= LEAST_CONTRAST) return color;
  const digits = /^#([0-9a-f]{6})$/i.exec(color)?.[1] ?? "000000";
  const darker = [0, 2, 4].map((at) => Math.floor(Number.parseInt(digits.slice(at, at + 2), 16) * 0.9));
  return asInk(`#${darker.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`);
}

function luminance(color: string): number {
  const digits = /^#([0-9a-f]{6})$/i.exec(color)?.[1] ?? "000000";
  const [red, green, blue] = [0, 2, 4].map((at) =>
    linear(Number.parseInt(digits.slice(at, at + 2), 16) / 255),
  );
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
