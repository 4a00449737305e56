/** Links, colours and alignment whose values came from other people: rendered only when they are what they should be.
 *
 * A colour or an alignment becomes part of a style attribute, where `red; position: fixed` would lay a page over the page.
 */

import { type AnyExtension, type Attribute, Extension } from "@tiptap/core";
import { Highlight as TiptapHighlight } from "@tiptap/extension-highlight";
import { Link as TiptapLink } from "@tiptap/extension-link";
import { Subscript as TiptapSubscript } from "@tiptap/extension-subscript";
import { Superscript as TiptapSuperscript } from "@tiptap/extension-superscript";
import { TextAlign as TiptapTextAlign } from "@tiptap/extension-text-align";
import { TextStyle } from "@tiptap/extension-text-style";
import { isAllowedColor, isAllowedFont, isAllowedFontSize, isAllowedHref } from "./allowed.js";

/** Attributes of text that other Tiptap applications set: kept as they are, not shown. */
const KEPT_STYLES = ["lineHeight", "backgroundColor"];

const ALIGNMENTS = ["left", "center", "right", "justify"];

const LINKED = { target: "_blank", rel: "noopener noreferrer nofollow" };

export const Link = TiptapLink.extend({
  addAttributes() {
    const inherited = (this.parent?.() ?? {}) as Record<string, Attribute>;
    // What others have stored stays in the document, and is not shown: a link could open over the page, tell where it is, or look like a part of it.
    const unshown = (name: string) => ({ [name]: { ...inherited[name], renderHTML: () => ({}) } });
    return { ...inherited, ...unshown("target"), ...unshown("rel"), ...unshown("class") };
  },
}).configure({
  openOnClick: false,
  defaultProtocol: "https",
  isAllowedUri: (href) => isAllowedHref(href),
  HTMLAttributes: { ...LINKED, class: null },
});

export const Highlight = TiptapHighlight.extend({
  addAttributes() {
    const inherited = (this.parent?.() ?? {}) as { color?: Attribute };
    return { color: { ...inherited.color, ...renderedIf(isAllowedColor, "color", highlighted) } };
  },
}).configure({ multicolor: true });

/** Colour, font and size of text, stored as stock Tiptap does. */
export const TextColor = Extension.create({
  name: "color",
  addGlobalAttributes() {
    const kept = Object.fromEntries(KEPT_STYLES.map((name) => [name, keptOnly()]));
    return [
      {
        types: ["textStyle"],
        attributes: {
          color: {
            default: null,
            parseHTML: (element) => (isAllowedColor(element.style.color) ? element.style.color : null),
            ...renderedIf(isAllowedColor, "color", inked),
          },
          fontFamily: {
            default: null,
            parseHTML: (element) => soundOrNull(isAllowedFont, element.style.fontFamily),
            ...renderedIf(isAllowedFont, "fontFamily", (font) => ({ style: `font-family: ${font}` })),
          },
          fontSize: {
            default: null,
            parseHTML: (element) => soundOrNull(isAllowedFontSize, element.style.fontSize),
            ...renderedIf(isAllowedFontSize, "fontSize", (size) => ({ style: `font-size: ${size}` })),
          },
          ...kept,
        },
      },
    ];
  },
  addCommands() {
    return {
      setColor:
        (color) =>
        ({ chain }) =>
          chain().setMark("textStyle", { color }).run(),
      unsetColor:
        () =>
        ({ chain }) =>
          chain().setMark("textStyle", { color: null }).removeEmptyTextStyle().run(),
      setFontFamily:
        (fontFamily) =>
        ({ chain }) =>
          chain().setMark("textStyle", { fontFamily }).run(),
      unsetFontFamily:
        () =>
        ({ chain }) =>
          chain().setMark("textStyle", { fontFamily: null }).removeEmptyTextStyle().run(),
      setFontSize:
        (fontSize) =>
        ({ chain }) =>
          chain().setMark("textStyle", { fontSize }).run(),
      unsetFontSize:
        () =>
        ({ chain }) =>
          chain().setMark("textStyle", { fontSize: null }).removeEmptyTextStyle().run(),
    };
  },
});

/** A letter is either above the line or below. */
const SHIFTED = "subscript superscript";
export const Subscript = TiptapSubscript.extend({ excludes: SHIFTED });
export const Superscript = TiptapSuperscript.extend({ excludes: SHIFTED });

export const TextAlign = TiptapTextAlign.extend({
  addGlobalAttributes() {
    return (this.parent?.() ?? []).map((group) => ({
      ...group,
      attributes: {
        textAlign: {
          ...group.attributes.textAlign,
          ...renderedIf(isAlignment, "textAlign", (side) => ({ style: `text-align: ${side}` })),
        },
      },
    }));
  },
}).configure({ types: ["heading", "paragraph", "image"], alignments: ALIGNMENTS });

export const styling: readonly AnyExtension[] = [
  TextStyle,
  TextColor,
  Highlight,
  Subscript,
  Superscript,
  Link,
  TextAlign,
];

/** The colour itself is for copying elsewhere; `--ink` lets the style sheet adapt it to dark paper. */
function inked(color: string) {
  return { "data-ink": "", style: `color: ${color}; --ink: ${color}` };
}

function highlighted(color: string) {
  return { "data-color": color, style: `background-color: ${color}; --ink: ${color}` };
}

function isAlignment(value: unknown): value is string {
  return typeof value === "string" && ALIGNMENTS.includes(value);
}

/** Returns the part of an attribute that renders it where `isSound` says so. */
function renderedIf(
  isSound: (value: unknown) => value is string,
  name: string,
  render: (value: string) => Record<string, string>,
) {
  return {
    renderHTML: (attributes: Record<string, unknown>) => {
      const value = attributes[name];
      return isSound(value) ? render(value) : {};
    },
  };
}

function soundOrNull(isSound: (value: unknown) => value is string, value: string): string | null {
  return isSound(value) ? value : null;
}

function keptOnly() {
  return { default: null, parseHTML: () => null, renderHTML: () => ({}) };
}
