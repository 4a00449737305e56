/** Documents that are made with content in them: a copy of another one, or what a template begins with. Loaded when used. */
import type { Provider } from "@manyhands/provider";
import { documentSchema } from "@manyhands/schema";
import type { Api } from "../api/api";
import { refusalWords } from "../api/refusals";
import { TEMPLATES, type TemplateName } from "../documents/templates";
import { shownTitle } from "../documents/titles";
import { t } from "../i18n/t";
import { lossOf, saveAsNew, writeNew } from "./copies";
import { templateText } from "./templateTexts";
import { type OpenDocument, openOverNetwork } from "./useProvider";

/** Under which name the page of a copy is in the documents for the moment that copying takes. */
const COPYIST = { name: t("Copy|noun"), color: "#5d5a52" };

export async function makeFromTemplate(
  api: Api,
  name: TemplateName,
  open: OpenDocument = openOverNetwork,
): Promise<{ readonly id: string }> {
  const title = TEMPLATES.find((template) => template.name === name)?.title ?? "";
  const id = await writeNew({ api, open, title }, () => documentSchema().nodeFromJSON(templateText(name)));
  return { id };
}

export interface Duplicate {
  readonly id: string;
  /** What to tell a person about pictures that did not come along; "" when all did. */
  readonly loss: string;
}

/** Returns once the server holds the copy durably. */
export async function duplicate(
  api: Api,
  { id, title }: { readonly id: string; readonly title: string },
  open: OpenDocument = openOverNetwork,
): Promise<Duplicate> {
  const source = open({ documentId: id, user: COPYIST });
  try {
    await whenLoaded(source);
    const copy = await saveAsNew({
      api,
      open,
      source,
      title: t("{title} (copy)", { title: shownTitle(title) }),
    });
    return { id: copy.id, loss: copy.lostPictures > 0 ? lossOf(copy.lostPictures) : "" };
  } finally {
    await source.destroy();
  }
}

/** Resolves when everything that the server has is here. */
function whenLoaded(provider: Provider): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { status, closed } = provider.snapshot();
      if (status !== "synced" && !closed) return;
      stop();
      if (closed) reject(new Error(refusalWords(closed)));
      else resolve();
    };
    const stop = provider.subscribe(look);
    look();
  });
}
