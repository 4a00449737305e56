/** Contrast: of people's colours, and of the tokens in both themes. */
import { expect, test } from "vitest";
import { asInk, contrast, inkOn, LIGHT_INK, PERSON_COLORS } from "../../src/ui/color";
import tokens from "../../src/ui/tokens.css?raw";

const READABLE = 4.5;
const VISIBLE = 3;

test("black on white is 21 to 1", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#ffffff", "#ffffff")).toBe(1);
});

test.each(PERSON_COLORS)("a name is readable on %s", (color) => {
  expect(contrast(color, inkOn(color))).toBeGreaterThanOrEqual(READABLE);
});

test.each([...PERSON_COLORS, "#ffffff", "#ffff00"])("words in %s are readable on white", (color) => {
  expect(contrast(asInk(color), LIGHT_INK)).toBeGreaterThanOrEqual(READABLE);
});

test("a colour in which words are readable stays", () => {
  expect(asInk("#c2410c")).toBe("#c2410c");
});

test("what is no colour gets light ink", () => {
  expect(inkOn("url(evil)")).toBe("#ffffff");
});

/** Returns a token's colours, light and dark. */
function token(name: string): readonly [string, string] {
  const colors = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(tokens);
  if (!colors?.[1] || !colors[2]) throw new Error(`no token --${name}`);
  return [colors[1], colors[2]];
}

const SURFACES = ["surface", "surface-ground", "surface-raised", "surface-sunken"];
const INKS = ["text", "text-muted", "text-faint", "accent-text", "danger", "warning", "success"];
const PAIRS = [
  ...SURFACES.flatMap((surface) => INKS.map((ink) => [ink, surface, READABLE] as const)),
  ...SURFACES.flatMap((surface) =>
    ["border-strong", "focus-ring"].map((line) => [line, surface, VISIBLE] as const),
  ),
  ["text-on-accent", "accent", READABLE],
  ["text-on-accent", "accent-hover", READABLE],
  ["text-on-accent", "accent-active", READABLE],
  ["text-on-danger", "danger", READABLE],
  ["text-on-danger", "danger-hover", READABLE],
  ["accent-text", "accent-soft", READABLE],
  ["accent-text", "surface-selected", READABLE],
  ["danger", "danger-soft", READABLE],
  ["warning", "warning-soft", READABLE],
  ["success", "success-soft", READABLE],
  ["text", "warning-soft", READABLE],
  ["text", "danger-soft", READABLE],
] as const;

test.each(PAIRS)("--%s stands out on --%s in both themes (%d : 1)", (front, back, least) => {
  const [fronts, backs] = [token(front), token(back)];
  expect(contrast(fronts[0], backs[0])).toBeGreaterThanOrEqual(least);
  expect(contrast(fronts[1], backs[1])).toBeGreaterThanOrEqual(least);
});
