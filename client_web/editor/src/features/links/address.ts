/** Addresses that people type for a link: what is wrong with one, in a sentence; and the places of this server by name. */

import { hrefFromInput } from "@manyhands/schema";
import { t } from "../../i18n/t";

/** Schemes whose addresses run as programs in the page that holds them. */
const PROGRAMS = new Set(["javascript", "data", "vbscript", "blob"]);

/** Says what is wrong with an address, as far as it is typed; null where a link may lead there. */
export function problemOf(typed: string): string | null {
  const words = typed.trim();
  if (words === "") return null;
  // Browsers pass over blanks and controls within a scheme.
  const [, scheme] = /^([a-z][a-z\d+.-]*):/i.exec(words.replace(/[\s\p{Cc}]/gu, "")) ?? [];
  if (scheme && PROGRAMS.has(scheme.toLowerCase()))
    return t("This address could run a program in the page. Links can lead to web pages and mail addresses.");
  const href = hrefFromInput(words);
  if (href === null)
    return t("Links can lead to web pages (https, http), mail addresses and pages of this server.");
  const isWhole = /^(https?:\/\/[^/]|mailto:.|[/#].)/i.test(href) && !/\s/.test(href.replace(/^mailto:/, ""));
  return isWhole ? null : t("Write a whole address such as example.org, or choose from the list.");
}

/** A heading of the document is `#h-` and its anchor. */
export function anchorIn(href: string): string | null {
  return /^#h-([\w-]{4,32})$/.exec(href)?.[1] ?? null;
}

/** The id of the document that an address on this server leads to. */
export function documentIn(href: string): string | null {
  try {
    const { origin, pathname } = new URL(href, location.href);
    return origin === location.origin ? (/^\/d\/([\w-]{8,64})(\/|$)/.exec(pathname)?.[1] ?? null) : null;
  } catch {
    return null;
  }
}
