/** `@manyhands/schema`: what a document of Manyhands' editor may hold, for other editors of the same document. */

export {
  hrefFromInput,
  isAllowedColor,
  isAllowedFont,
  isAllowedFontSize,
  isAllowedHref,
  isAllowedImage,
} from "./allowed.js";
export { ANNOTATION, Code, CodeBlock, Comment, OBJECTS } from "./annotations.js";
export {
  CALLOUTS,
  Callout,
  type CalloutKind,
  calloutKind,
  Details,
  DetailsContent,
  DetailsSummary,
} from "./containers.js";
export { AROUND_LINES, Direction, LINES } from "./direction.js";
export { documentSchema, extensions, FORMAT, FRAGMENT, SETTINGS, STARTER_KIT } from "./format.js";
export { BlockMath, FORMULAS, formulaText, InlineMath, LONGEST_FORMULA, latexOf } from "./formulas.js";
export { captionOf, Image, LONGEST_CAPTION, pictureRules } from "./images.js";
export { Mention, mentionText, PageBreak } from "./inserts.js";
export { indentOf, Lines, type Look, lookOf, MOST_INDENT, spacingOf } from "./lines.js";
export { Highlight, Link, Subscript, Superscript, TextAlign, TextColor } from "./styling.js";
export {
  BREAK,
  Deletion,
  drawnSuggestion,
  Formatting,
  type FormattingAttributes,
  formatsIn,
  Insertion,
  type InsertionAttributes,
  inTime,
  type NodeSuggestion,
  NodeSuggestions,
  proposalsOf,
  SUGGESTION_MARKS,
  type Suggested,
  type SuggestionKind,
  suggestionOf,
  withProposals,
} from "./suggestions.js";
export { Table } from "./tables.js";
export { canHold, MOST_PIXELS, MOST_SPAN, readTolerantly, wholeNumber } from "./tolerance.js";
