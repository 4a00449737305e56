/** What is loaded when somebody suggests, or looks at a document with or without suggestions. */

export { viewOf } from "./settle";
export { translate } from "./translate";
