/** What is loaded when somebody suggests, or looks at a document with or without suggestions. */

export { acceptAll, rejectAll, viewOf } from "./settle";
export { settleIn } from "./settling";
export { translate } from "./translate";
