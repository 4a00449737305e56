/** What a document may point at or be styled with: allow-lists for values that came from other people. */

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const COLOR = /^(#[0-9a-f]{3,8}|[a-z]{3,24}|(rgb|hsl)a?\([\d\s.,%/]{1,48}\))$/i;
/** Names with commas between them. A name may have quotes around it. */
const FONT = /^[\p{L}\d\s,'"-]{1,160}$/u;
const FONT_SIZE = /^(\d{1,3}(?:\.\d{1,2})?)(pt|px|em|rem|%)$/;
/** Units in a size of 400 points, beyond which a letter fills the sheet. */
const LARGEST_SIZE: Readonly<Record<string, number>> = { pt: 400, px: 533, em: 25, rem: 25, "%": 999 };
const ATTACHMENT = /^\/api\/documents\/[\w-]{8,64}\/attachments\/[0-9a-f]{64}$/;

/** Whether a link may lead there: web, mail, or a place relative to this server. */
export function isAllowedHref(href: unknown): href is string {
  if (typeof href !== "string" || href.trim() === "") return false;
  // The URL parser forgives tabs, line ends and leading controls as browsers do: it sees `java\nscript:` for what it is.
  try {
    return SCHEMES.has(new URL(href, "https://relative.invalid/").protocol);
  } catch {
    return false;
  }
}

/** Returns the address that a person meant by what they typed, or null if no link may lead there. */
export function hrefFromInput(typed: string): string | null {
  const words = typed.trim();
  if (/^[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+$/.test(words)) return `mailto:${words}`;
  const isBareHost = /^[^\s:/?#]+\.[^\s:/?#]{2,}([:/?#]|$)/.test(words) && !words.startsWith(".");
  const href = isBareHost ? `https://${words}` : words;
  return isAllowedHref(href) ? href : null;
}

/** Whether a colour is only a colour, and no further CSS. */
export function isAllowedColor(color: unknown): color is string {
  return typeof color === "string" && COLOR.test(color);
}

/** Whether a list of fonts is only that, and no further CSS. */
export function isAllowedFont(font: unknown): font is string {
  return typeof font === "string" && FONT.test(font);
}

/** Whether a size of letters is one, and not larger than a sheet. */
export function isAllowedFontSize(size: unknown): size is string {
  const [, number, unit] = (typeof size === "string" && FONT_SIZE.exec(size)) || [];
  return unit !== undefined && Number(number) > 0 && Number(number) <= (LARGEST_SIZE[unit] ?? 0);
}

/** Whether an image may be shown: only what this server keeps, so that opening a document tells no other server. */
export function isAllowedImage(src: unknown): src is string {
  return typeof src === "string" && ATTACHMENT.test(src);
}
