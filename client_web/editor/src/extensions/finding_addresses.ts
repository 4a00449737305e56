/** linkifyjs, which finds addresses in what is typed and pasted: its long list of domains comes behind the first words.
 *
 * The builds put this module in the place of linkifyjs. Until that is there, no address is found.
 */

import type { find as Find, MultiToken } from "linkifyjs";

type Linkify = typeof import("linkifyjs/dist/linkify.mjs");

let linkify: Linkify | null = null;
let loading: Promise<void> | null = null;

/** Behind what a page needs to be seen. */
const AFTER_MS = 1_500;

/** Resolves when addresses are found, or the code has not come; the next call tries again then. */
export function loadLinkify(): Promise<void> {
  loading ??= import("linkifyjs/dist/linkify.mjs").then(
    (found) => {
      linkify = found;
    },
    () => {
      loading = null;
    },
  );
  return loading;
}

setTimeout(() => void loadLinkify(), AFTER_MS);

export function find(...asked: Parameters<typeof Find>): ReturnType<typeof Find> {
  if (linkify) return linkify.find(...asked);
  void loadLinkify();
  return [];
}

export function tokenize(text: string): readonly MultiToken[] {
  if (linkify) return linkify.tokenize(text);
  void loadLinkify();
  return [];
}

/** Links have the schemes that linkifyjs knows, and no others. */
export function registerCustomProtocol(): void {}

export function reset(): void {}
