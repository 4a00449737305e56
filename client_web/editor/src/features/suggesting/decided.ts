/** What an editor needs of suggestions where something is suggested, without a translator. */

export { acceptAll, settled } from "./settle";
export { proposedCells } from "./shaping";
