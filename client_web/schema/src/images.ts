/** Images: the document holds an address, a size and a description; the bytes are kept by the server as an attachment. */

import { mergeAttributes } from "@tiptap/core";
import { Image as TiptapImage } from "@tiptap/extension-image";
import { isAllowedImage } from "./allowed.js";

export const Image = TiptapImage.extend({
  parseHTML() {
    return [{ tag: "img[src]", getAttrs: (image) => isAllowedImage(image.getAttribute("src")) && null }];
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
