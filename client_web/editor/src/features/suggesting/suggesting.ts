/** What is loaded when somebody suggests, or looks at a document with or without suggestions. */

export { suggestAnew } from "./anew";
export { viewOf } from "./settle";
export { translate } from "./translate";
