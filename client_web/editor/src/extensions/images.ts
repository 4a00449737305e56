/** Images: the document holds an address, a size and a description; the bytes are kept by the server as an attachment. */

import { mergeAttributes } from "@tiptap/core";
import { Image as TiptapImage } from "@tiptap/extension-image";
import { isAllowedImage } from "./allowed";
import { ARRIVING } from "./pasted_html";

export const Image = TiptapImage.extend({
  parseHTML() {
    // What is pasted keeps its place by an address that never gets into a document; see pasting.ts.
    const isKept = (src: string | null) => isAllowedImage(src) || ARRIVING.test(src ?? "");
    return [{ tag: "img[src]", getAttrs: (image) => isKept(image.getAttribute("src")) && null }];
  },
  renderHTML({ HTMLAttributes }) {
    const { src, ...rest } = HTMLAttributes;
    if (isAllowedImage(src)) return ["img", mergeAttributes({ loading: "lazy" }, HTMLAttributes)];
    // Another application's image: kept in the document, not fetched from wherever it is.
    const label = typeof rest.alt === "string" && rest.alt ? rest.alt : "Image kept on another server";
    return ["span", { class: "page-image-elsewhere", role: "img", "aria-label": label }, label];
  },
  addInputRules() {
    return [];
  },
});
