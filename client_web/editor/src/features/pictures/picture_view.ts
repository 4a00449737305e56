/** A picture as the sheet shows it: the image, its caption, and a mark while nobody has described it.
 *
 * The elements stay through every change, so that an image does not flicker while somebody sizes
 * it. The caption is a field in the sheet. What is written there goes into the document after a
 * short pause, and when one leaves the field.
 */

import { captionOf, isAllowedImage, LONGEST_CAPTION } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { NodeSelection, Selection } from "@tiptap/pm/state";
import type { NodeView, ViewMutationRecord } from "@tiptap/pm/view";
import { drawSuggestion } from "../../extensions/suggested";
import { t } from "../../i18n/t";

/** Milliseconds without a key after which a caption goes into the document. */
const CAPTION_PAUSE = 400;

/** Words in the place of a picture that is not on this server and has no description. */
export const ELSEWHERE = t("Image kept on another server");

const views = new WeakMap<globalThis.Node, PictureView>();

export class PictureView implements NodeView {
  readonly dom = document.createElement("figure");
  readonly image = document.createElement("img");
  readonly #mark = document.createElement("span");
  readonly #caption = document.createElement("textarea");
  readonly #editor: Editor;
  readonly #getPos: () => number | undefined;
  #node: Node;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(node: Node, editor: Editor, getPos: () => number | undefined) {
    this.#node = node;
    this.#editor = editor;
    this.#getPos = getPos;
    this.dom.className = "page-picture";
    this.image.loading = "lazy";
    this.image.draggable = false; // the figure is dragged, with its caption
    this.#mark.className = "page-picture-mark";
    this.#mark.textContent = t("No description");
    this.#mark.setAttribute("aria-hidden", "true");
    this.#prepareCaption();
    this.#draw();
    views.set(this.dom, this);
  }

  /** The view whose element this is. */
  static of(dom: globalThis.Node | null): PictureView | null {
    return (dom && views.get(dom)) ?? null;
  }

  update(node: Node): boolean {
    const wasShown = isAllowedImage(this.#node.attrs.src);
    if (node.type !== this.#node.type || wasShown !== isAllowedImage(node.attrs.src)) return false;
    this.#node = node;
    this.#draw();
    return true;
  }

  stopEvent(event: Event): boolean {
    return event.target === this.#caption;
  }

  ignoreMutation(mutation: ViewMutationRecord): boolean {
    return mutation.type !== "selection" || this.#caption === document.activeElement;
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Pixels on the screen. */
  get width(): number {
    return this.image.getBoundingClientRect().width;
  }

  /** Pixels that a picture has room for here: those of the sheet, of the cell, of the list item. */
  get most(): number {
    const { parentElement: around } = this.dom;
    if (!around) return this.width;
    const { paddingLeft, paddingRight } = getComputedStyle(around);
    return around.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
  }

  /** Width over height of the picture itself; null until it has come. */
  get ratio(): number | null {
    const { naturalWidth, naturalHeight } = this.image;
    return naturalHeight > 0 ? naturalWidth / naturalHeight : null;
  }

  get isCentred(): boolean {
    return this.#node.attrs.textAlign === "center";
  }

  /** Shows another width while somebody drags a handle; null shows what the document says. */
  showWidth(width: number | null): void {
    setOrRemove(this.image, "style", width === null ? null : `width: ${width}px`);
  }

  /** Begins the caption, or goes on with it. */
  editCaption(): void {
    this.dom.classList.add("page-picture--captioned");
    this.#caption.focus();
  }

  #draw(): void {
    const { src, alt, title, width, height, textAlign } = this.#node.attrs;
    if (!isAllowedImage(src)) {
      const label = typeof alt === "string" && alt ? alt : ELSEWHERE;
      const elsewhere = document.createElement("span");
      elsewhere.className = "page-image-elsewhere";
      elsewhere.setAttribute("role", "img");
      elsewhere.setAttribute("aria-label", label);
      elsewhere.textContent = label;
      this.dom.replaceChildren(elsewhere);
      return;
    }
    if (this.image.getAttribute("src") !== src) this.image.src = src;
    this.image.alt = typeof alt === "string" ? alt : t("Picture without a description");
    setOrRemove(this.image, "title", title);
    setOrRemove(this.image, "width", width);
    setOrRemove(this.image, "height", height);
    setOrRemove(this.dom, "data-align", textAlign);
    drawSuggestion(this.dom, this.#node);
    this.#mark.hidden = typeof alt === "string";
    const caption = captionOf(this.#node.attrs);
    const isWriting = this.#caption === document.activeElement;
    this.dom.classList.toggle("page-picture--captioned", caption !== "" || isWriting);
    // Words that somebody is writing here stay until they are in the document.
    if (this.#timer === null && this.#caption.value !== caption) this.#caption.value = caption;
    this.#caption.readOnly = !this.#editor.isEditable;
    if (this.dom.firstChild !== this.image) {
      this.dom.replaceChildren(this.image, this.#mark, captionAround(this.#caption));
    }
    this.#fitCaption();
  }

  #prepareCaption(): void {
    const caption = this.#caption;
    caption.rows = 1;
    caption.maxLength = LONGEST_CAPTION;
    caption.placeholder = t("Write a caption");
    caption.setAttribute("aria-label", t("Caption of the picture"));
    // Reached from the picture's tools: Tab goes through the page, not through every caption.
    caption.tabIndex = -1;
    caption.addEventListener("focus", () => this.#select());
    caption.addEventListener("input", () => {
      this.#fitCaption();
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#write(), CAPTION_PAUSE);
    });
    caption.addEventListener("blur", () => {
      this.#write();
      this.#draw();
    });
    caption.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      event.stopPropagation();
      this.#leaveCaption(event.key === "Enter");
    });
  }

  /** Where a browser does not fit a field to its words by itself. */
  #fitCaption(): void {
    if (CSS.supports?.("field-sizing", "content")) return;
    this.#caption.style.height = "auto";
    this.#caption.style.height = `${this.#caption.scrollHeight}px`;
  }

  #select(): void {
    const at = this.#getPos();
    const { state, view } = this.#editor;
    if (at === undefined || state.selection.from === at) return;
    view.dispatch(state.tr.setSelection(NodeSelection.create(state.doc, at)));
  }

  #leaveCaption(isBehind: boolean): void {
    this.#write();
    const at = this.#getPos();
    const { state, view } = this.#editor;
    if (at === undefined) return;
    const behind = isBehind ? Selection.findFrom(state.doc.resolve(at + this.#node.nodeSize), 1) : null;
    view.dispatch(state.tr.setSelection(behind ?? NodeSelection.create(state.doc, at)));
    view.focus();
  }

  #write(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.#getPos();
    const { state, view, isDestroyed, isEditable } = this.#editor;
    if (at === undefined || isDestroyed || !isEditable || state.doc.nodeAt(at) !== this.#node) return;
    const words = this.#caption.value.replace(/\s*\n\s*/g, " ").trim();
    if (words === captionOf(this.#node.attrs)) return;
    view.dispatch(state.tr.setNodeAttribute(at, "caption", words === "" ? null : words));
  }
}

function captionAround(field: HTMLElement): HTMLElement {
  const caption = document.createElement("figcaption");
  caption.append(field);
  return caption;
}

function setOrRemove(element: Element, name: string, value: unknown): void {
  if (value === null || value === undefined || value === "") element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}
