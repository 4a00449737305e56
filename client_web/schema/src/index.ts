/** `@manyhands/schema`: what a document of Manyhands' editor may hold, for other editors of the same document. */

export { hrefFromInput, isAllowedColor, isAllowedHref, isAllowedImage } from "./allowed.js";
export { AROUND_LINES, Direction, LINES } from "./direction.js";
export { documentSchema, extensions, FORMAT, FRAGMENT, STARTER_KIT } from "./format.js";
export { Image } from "./images.js";
export { Highlight, Link, TextAlign, TextColor } from "./styling.js";
export { Table } from "./tables.js";
export { canHold, MOST_SPAN, readTolerantly, wholeNumber } from "./tolerance.js";
