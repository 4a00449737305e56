/** HTML of other programs, made ready for the schema: structure is kept, and what cannot be kept is
 * counted.
 *
 * The schema reads paragraphs, lists, tables and marks. What programs mean by other things is said
 * here in those terms: blank lines, markers behind words, colours that are only those of their
 * paper, titles. Pictures are handed over apart from the words.
 */

import { MOST_SPAN } from "@manyhands/schema";
import { readLists } from "./pasted_lists";

/**
 * A picture that has to be brought to the server; an image with the address `arriving:N` keeps its
 * place.
 */
export interface PastedPicture {
  readonly name: string;
  /**
   * `data:` or an address on this server; null for a picture that only the clipboard's files can
   * have.
   */
  readonly source: string | null;
}

export interface PastedHtml {
  readonly html: string;
  readonly pictures: readonly PastedPicture[];
  /** Pictures and embedded pages of other servers, in whose place a link stands. */
  readonly linked: number;
  /** Drawings, films and the like of which nothing can be kept. */
  readonly leftOut: number;
}

export const ARRIVING = /^arriving:(\d+)$/;

const ATTACHMENT_PATH = /^\/api\/documents\/([\w-]+)\/attachments\/[0-9a-f]{64}$/;
/**
 * Levels of lists, quotes and tables that are kept of what is pasted; deeper ones stand at this
 * level.
 */
const MOST_LEVELS = 20;
const LEVELS = "ul, ol, blockquote, table";
const BLOCKS =
  "address, article, aside, blockquote, dd, div, dl, dt, figure, footer, form, h1, h2, h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, table, ul";

/**
 * Reads what another program put on the clipboard; `documentId` names the document it goes to, if
 * pictures can be stored there.
 */
export function readPastedHtml(html: string, documentId: string | null): PastedHtml {
  const { body } = new DOMParser().parseFromString(withTable(html), "text/html");
  // What an editor of this kind has copied needs no reading, and must keep its shape.
  if (!body.querySelector("[data-pm-slice]")) {
    readLists(body);
    readTitles(body);
    readPageBreaks(body);
    readBlankLines(body);
    for (const words of body.querySelectorAll("span, font")) readWords(words);
    for (const line of body.querySelectorAll("[dir]")) readDirection(line);
  }
  const [linked, leftOut] = replaceEmbedded(body);
  const pictures: PastedPicture[] = [];
  let linkedPictures = 0;
  for (const image of body.querySelectorAll("img")) {
    const picture = pictureOf(image, documentId);
    if (picture === "linked") linkedPictures += 1;
    else if (picture) image.setAttribute("src", `arriving:${pictures.push(picture) - 1}`);
  }
  for (const line of body.querySelectorAll("p:has(img)")) {
    // Images stand between lines: one that has a line to itself leaves no empty line behind.
    if ((line.textContent ?? "").trim() === "") line.replaceWith(...line.querySelectorAll("img"));
  }
  fit(body);
  return { html: body.innerHTML, pictures, linked: linked + linkedPictures, leftOut };
}

/** Rows and cells without their table would be lost on the way into a document. */
function withTable(html: string): string {
  return /^\s*(<meta[^>]*>\s*)*<(tr|td|th|tbody|thead|colgroup)\b/i.test(html)
    ? `<table>${html}</table>`
    : html;
}

function readTitles(body: HTMLElement): void {
  for (const title of body.querySelectorAll("p.MsoTitle")) renamed(title, "h1");
  for (const title of body.querySelectorAll("p.MsoSubtitle")) renamed(title, "h2");
}

function renamed(element: Element, tag: string): void {
  const made = element.ownerDocument.createElement(tag);
  made.append(...element.childNodes);
  element.replaceWith(made);
}

/** Word says a new page with a line break, Google Docs with a rule, both in a line of their own or amid words. */
function readPageBreaks(body: HTMLElement): void {
  for (const sign of body.querySelectorAll("br, hr")) {
    if (!/page-break-before:\s*always/i.test(sign.getAttribute("style") ?? "")) continue;
    const made = body.ownerDocument.createElement("div");
    made.dataset.type = "pageBreak";
    const line = sign.closest("p");
    if (!line) sign.replaceWith(made);
    else {
      sign.remove();
      if ((line.textContent ?? "").trim() === "") line.replaceWith(made);
      else line.after(made);
    }
  }
}

/**
 * Empty lines become empty paragraphs: line breaks between blocks, and blocks with nothing but a
 * break or a fixed blank.
 */
function readBlankLines(body: HTMLElement): void {
  for (const end of body.querySelectorAll("br.Apple-interchange-newline")) end.remove();
  for (const line of body.querySelectorAll("div, p")) {
    if (!isBlank(line) || line.closest("li, pre")) continue;
    if (line.tagName === "P") line.replaceChildren();
    else if (line.querySelector("br")) line.replaceWith(body.ownerDocument.createElement("p"));
  }
  for (const line of body.querySelectorAll("br")) {
    const { previousSibling: before, nextSibling: after } = line;
    if (isBoundary(before) && isBoundary(after) && line.parentElement?.matches(`body, b, ${BLOCKS}`)) {
      if (after?.nodeType === Node.ELEMENT_NODE && before?.nodeType === Node.ELEMENT_NODE)
        line.replaceWith(body.ownerDocument.createElement("p"));
    }
  }
}

function isBlank(line: Element): boolean {
  return (
    !line.querySelector("img, table, hr, input, iframe, video, svg") && (line.textContent ?? "").trim() === ""
  );
}

/**
 * Whether a node ends a line by itself: a block, a line break that has become one, blanks between
 * blocks.
 */
function isBoundary(node: ChildNode | null): boolean {
  if (node instanceof Element) return node.matches(`${BLOCKS}, br`) || node.querySelector(BLOCKS) !== null;
  return node?.nodeType === Node.TEXT_NODE && (node.textContent ?? "").trim() === "";
}

/** Drops a direction that the words have by themselves: some programs write one on every line. */
function readDirection(element: Element): void {
  const letter = /\p{L}/u.exec(element.textContent ?? "")?.[0] ?? "";
  const own = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(letter) ? "rtl" : "ltr";
  if (element.getAttribute("dir")?.toLowerCase() === own) element.removeAttribute("dir");
}

/**
 * Says styles of words in tags, makes markers of bright backgrounds behind them, and drops the
 * colours of another program's paper and ink. Fonts and sizes are those of the page.
 */
function readWords(words: Element): void {
  const style = declarationsOf(words);
  const color = style.get("color") ?? words.getAttribute("color") ?? "";
  const behind = style.get("background-color") ?? style.get("background") ?? "";
  const decoration = `${style.get("text-decoration") ?? ""} ${style.get("text-decoration-line") ?? ""}`;
  const isLink = words.closest("a") !== null;
  const tags = [
    /^(bold|bolder|[6-9]00)$/i.test(style.get("font-weight") ?? "") && "strong",
    /^italic|^oblique/i.test(style.get("font-style") ?? "") && "em",
    /underline/i.test(decoration) && !isLink && "u",
    /line-through/i.test(decoration) && "s",
    behind !== "" && !isPaperOrInk(behind) && isBright(behind) && "mark",
  ].filter((tag) => tag !== false);
  const span = words.ownerDocument.createElement("span");
  span.append(...words.childNodes);
  if (color !== "" && !isPaperOrInk(color) && !isLink) span.setAttribute("style", `color: ${color}`);
  let made: Element = span;
  for (const tag of tags) {
    const around = words.ownerDocument.createElement(tag);
    if (tag === "mark") around.dataset.color = behind;
    around.append(made);
    made = around;
  }
  if (/pre/i.test(style.get("white-space") ?? "")) {
    // The schema reads no mark from this tag, and ProseMirror's parser heeds its blanks.
    const around = words.ownerDocument.createElement("font");
    around.setAttribute("style", "white-space: pre-wrap");
    around.append(made);
    made = around;
  }
  words.replaceWith(made);
}

/** The style attribute as it is written: browsers leave out what they do not know. */
function declarationsOf(element: Element): ReadonlyMap<string, string> {
  const style = new Map<string, string>();
  for (const declaration of (element.getAttribute("style") ?? "").split(";")) {
    const at = declaration.indexOf(":");
    if (at > 0) style.set(declaration.slice(0, at).trim().toLowerCase(), declaration.slice(at + 1).trim());
  }
  return style;
}

const NAMED: Readonly<Record<string, string>> = {
  black: "#000000",
  white: "#ffffff",
  yellow: "#ffff00",
  lime: "#00ff00",
  aqua: "#00ffff",
  cyan: "#00ffff",
};
const FROM_AROUND =
  /^(windowtext|window|canvastext|canvas|inherit|initial|unset|currentcolor|transparent|auto|none)\b/i;

/**
 * Whether a colour is that of plain text or of paper, on a bright page or a dark one: nobody has
 * chosen it.
 */
function isPaperOrInk(color: string): boolean {
  const channels = channelsOf(color);
  if (!channels) return FROM_AROUND.test(color);
  const [least, most] = [Math.min(...channels), Math.max(...channels)];
  return most - least <= 24 && (most <= 96 || least >= 200);
}

/** True if dark words can be read on a background. */
function isBright(color: string): boolean {
  const [red, green, blue] = channelsOf(color) ?? [0, 0, 0];
  return 0.299 * red + 0.587 * green + 0.114 * blue >= 140;
}

function channelsOf(color: string): readonly [number, number, number] | null {
  const words = NAMED[color.trim().toLowerCase()] ?? color.trim();
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})\b/i.exec(words)?.[1];
  if (digits) {
    const wide = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits;
    const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => Number.parseInt(wide.slice(at, at + 2), 16));
    return [red, green, blue];
  }
  const parts = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/i.exec(words);
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : null;
}

/**
 * Puts links in the place of embedded pages; returns how many, and how many things nothing could be
 * kept of.
 */
function replaceEmbedded(body: HTMLElement): readonly [linked: number, leftOut: number] {
  let [linked, leftOut] = [0, 0];
  for (const embedded of body.querySelectorAll("iframe, video, audio, embed, object, svg, canvas")) {
    if (!body.contains(embedded)) continue;
    const source = embedded.querySelector("source[src]") ?? embedded;
    const address = source.getAttribute("src") ?? source.getAttribute("data") ?? "";
    if (/^https?:/i.test(address)) {
      const line = body.ownerDocument.createElement("p");
      line.append(linkTo(address, embedded.getAttribute("title"), body.ownerDocument));
      embedded.replaceWith(line);
      linked += 1;
    } else {
      // The small signs of a web page's buttons are drawings as well, hidden from those who only
      // hear it.
      if (embedded.getAttribute("aria-hidden") !== "true") leftOut += 1;
      embedded.remove();
    }
  }
  return [linked, leftOut];
}

/**
 * Returns what has to be uploaded for an image; "linked" when a link stands in its place; null when
 * it is gone or can stay.
 */
function pictureOf(image: HTMLImageElement, documentId: string | null): PastedPicture | "linked" | null {
  const source = (image.getAttribute("src") ?? "").trim();
  const alt = image.getAttribute("alt")?.trim() ?? "";
  // One pixel wide or high, it counts readers of a mail: nobody has seen it.
  if (["width", "height"].some((side) => /^[01](px)?$/.test(image.getAttribute(side) ?? ""))) {
    image.remove();
    return null;
  }
  const here = pathHere(source);
  const owner = here && ATTACHMENT_PATH.exec(here)?.[1];
  if (here && owner) {
    image.setAttribute("src", here);
    return documentId === null || owner === documentId ? null : { name: alt || "picture", source: here };
  }
  if (/^data:image\//i.test(source)) return { name: alt || "picture", source };
  if (!/^https?:/i.test(source)) return { name: alt || "picture", source: null };
  const words = alt || decodedName(source) || "picture";
  const isLinked = image.closest("a[href]") !== null;
  image.replaceWith(isLinked ? words : linkTo(source, words, image.ownerDocument), " ");
  return "linked";
}

/** The path of an address on this server; null for others. */
function pathHere(source: string): string | null {
  try {
    const { origin, pathname } = new URL(source, location.href);
    return origin === location.origin ? pathname : null;
  } catch {
    return null;
  }
}

function decodedName(address: string): string {
  const name = new URL(address).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function linkTo(address: string, words: string | null, document: Document): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = words?.trim() || address;
  return link;
}

/** Brings cells and levels within what an editor draws. */
function fit(body: HTMLElement): void {
  for (const cell of body.querySelectorAll("[colspan], [rowspan]")) {
    for (const span of ["colspan", "rowspan"]) {
      if (Number(cell.getAttribute(span)) > MOST_SPAN) cell.setAttribute(span, String(MOST_SPAN));
    }
  }
  for (const element of body.querySelectorAll(LEVELS)) {
    let levels = 0;
    for (let at = element.parentElement; at; at = at.parentElement) if (at.matches(LEVELS)) levels += 1;
    if (levels >= MOST_LEVELS) element.replaceWith(...element.childNodes);
  }
}
