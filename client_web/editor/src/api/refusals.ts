/** A refusal's words for people. English is the server's own. Other languages have what the server says most often, and a sentence for each code. */
import { type Catalogue, LANGUAGE, type Language } from "../i18n/language";
import { t } from "../i18n/t";
import type { Code } from "./wire";

const BY_CODE: Readonly<Record<Code, string>> = {
  bad_update: t("The server cannot read this change."),
  client_id_taken: t("The page has to join the document anew."),
  conflict: t("Others have changed this in the meantime. Look at it again."),
  deleted: t("This was deleted for ever."),
  document_full: t("The document is full. Start another one for what is to come."),
  draining: t("The server is being restarted. Try again in a moment."),
  epoch_changed: t("The document was restored from a backup. What is on this device is kept apart from it."),
  forbidden: t("You may not do this here."),
  internal: t("The server has made a mistake, which it has noted."),
  malformed: t("The server does not understand this request."),
  missing_past: t("The server lacks earlier changes. The page sends them again."),
  not_a_suggestion: t("You may suggest changes here, but not change the text itself."),
  not_found: t("There is no such thing here, or not for you."),
  not_joined: t("The page has to join the document anew."),
  other_format: t("The document has a format that this page does not know. Load the page anew."),
  quarantined: t("The document can only be read at the moment. Nothing of it is lost."),
  rate_limited: t("That was too much in too short a time. Try again in a moment."),
  too_costly: t(
    "The change is too much for the server at once. Make smaller changes, or start another document.",
  ),
  too_large: t("That is too large."),
  too_many: t("Too much is open at once. Close something and try again."),
  unauthenticated: t("The server does not know who you are any more. Sign in again."),
  unavailable: t("The server cannot do its work at the moment. Try again in a moment."),
  unknown_event: t("The server does not understand this request."),
  unsupported_content: t("The change holds something that cannot be kept unharmed."),
  wrong_host: t("The server does not go by this address. Ask whoever runs it to allow the address."),
  wrong_origin: t(
    "The server takes nothing from pages of this address. Ask whoever runs it to allow the address.",
  ),
};

/** The server's sentences, and what each is in another language. `{0}` and so on stand for values. */
const SENTENCES: Readonly<Partial<Record<Language, () => Promise<{ readonly default: Catalogue }>>>> = {
  de: () => import("../i18n/refusals.de.json"),
};

let sentences: Catalogue = {};
// Nobody is refused before the page is there; until it has come, the code's sentence is shown.
void SENTENCES[LANGUAGE]?.().then(
  (read) => {
    sentences = read.default;
  },
  () => undefined,
);

/** Returns a sentence of the server in another language; null for one that the catalogue lacks. */
export function translated(message: string, known: Catalogue): string | null {
  for (const [english, other] of Object.entries(known)) {
    const pattern = english.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "(.+?)");
    const found = new RegExp(`^${pattern}$`, "s").exec(message);
    if (found) return other.replace(/\{(\d)\}/g, (_, index) => found[Number(index) + 1] ?? "");
  }
  return null;
}

/** Returns the server's sentence for a code that is not known here. A setting that the server names is named in all languages. */
export function refusalWords({ code, message }: { readonly code: string; readonly message: string }): string {
  if (LANGUAGE === "en" || !isKnown(code)) return message;
  const exact = translated(message, sentences);
  if (exact !== null) return exact;
  const setting = /\bMANYHANDS_[A-Z_]+/.exec(message)?.[0];
  const more = setting ? ` ${t("Whoever runs the server can change this with {setting}.", { setting })}` : "";
  return BY_CODE[code] + more;
}

function isKnown(code: string): code is Code {
  return Object.hasOwn(BY_CODE, code);
}
