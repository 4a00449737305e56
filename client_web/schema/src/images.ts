/** Pictures: an address, a size, an alignment, a description and a caption; the bytes are kept by the server as an attachment.
 *
 * In HTML a picture with a caption or an alignment is a `figure`, any other one an `img`.
 */

import { type Attribute, mergeAttributes } from "@tiptap/core";
import { type ImageOptions, Image as TiptapImage } from "@tiptap/extension-image";
import type { TagParseRule } from "@tiptap/pm/model";
import { isAllowedImage } from "./allowed.js";
import { MOST_PIXELS, wholeNumber } from "./tolerance.js";

/** Characters of a caption or a description. */
export const LONGEST_CAPTION = 2_000;

export interface PictureOptions extends ImageOptions {
  /** Words in the place of a picture that is not on this server and has no description. */
  readonly elsewhere: string;
}

export const Image = TiptapImage.extend<PictureOptions>({
  addOptions() {
    return { ...(this.parent?.() as ImageOptions), elsewhere: "Image kept on another server" };
  },
  addAttributes() {
    const inherited = (this.parent?.() ?? {}) as Record<string, Attribute>;
    const read = (name: string, value: (written: string | null) => unknown) => ({
      [name]: {
        ...inherited[name],
        parseHTML: (element: HTMLElement) => value(imageIn(element)?.getAttribute(name) ?? null),
      },
    });
    return {
      ...inherited,
      ...read("src", (written) => written),
      ...read("alt", (written) => written),
      ...read("title", (written) => written),
      ...read("width", (written) => wholeNumber(written, 1, MOST_PIXELS)),
      ...read("height", (written) => wholeNumber(written, 1, MOST_PIXELS)),
      caption: { default: null, rendered: false, parseHTML: captionIn },
    };
  },
  parseHTML() {
    return pictureRules(isAllowedImage);
  },
  renderHTML({ node, HTMLAttributes }) {
    const { src, style, ...rest } = HTMLAttributes;
    if (!isAllowedImage(src)) {
      // Another application's image: kept in the document, not fetched from wherever it is.
      const label = typeof rest.alt === "string" && rest.alt ? rest.alt : this.options.elsewhere;
      return ["span", { class: "page-image-elsewhere", role: "img", "aria-label": label }, label];
    }
    const image = ["img", mergeAttributes({ loading: "lazy" }, { src }, rest)] as const;
    const caption = captionOf(node.attrs);
    if (caption === "" && !style) return image;
    return ["figure", style ? { style } : {}, image, ...(caption === "" ? [] : [["figcaption", caption]])];
  },
  addInputRules() {
    return [];
  },
});

/** Rules that read pictures whose address `isKept`. */
export function pictureRules(isKept: (src: string | null) => boolean): readonly TagParseRule[] {
  const known = (element: HTMLElement) => isKept(imageIn(element)?.getAttribute("src") ?? null) && null;
  return [
    { tag: "figure:has(img)", getAttrs: (figure) => holdsOnlyPicture(figure) && known(figure) },
    { tag: "img[src]", getAttrs: known },
  ];
}

/** The caption of an image's attributes; "" where it has none. */
export function captionOf({ caption }: Readonly<Record<string, unknown>>): string {
  return typeof caption === "string" ? caption.slice(0, LONGEST_CAPTION) : "";
}

function imageIn(element: HTMLElement): Element | null {
  return element.tagName === "IMG" ? element : element.querySelector("img");
}

function captionIn(element: HTMLElement): string | null {
  const words = element.querySelector("figcaption")?.textContent?.replace(/\s+/g, " ").trim();
  return words ? words.slice(0, LONGEST_CAPTION) : null;
}

/** Other figures hold tables, code or several pictures: their parts are read one by one. */
function holdsOnlyPicture(figure: HTMLElement): boolean {
  const words = (element: Element | null) => (element?.textContent ?? "").trim().length;
  const isBare = words(figure) === words(figure.querySelector("figcaption"));
  return isBare && figure.querySelectorAll("img").length === 1 && !figure.querySelector("table, pre, hr");
}
