/** A picture as a file on this device, under a name that says what it shows. */

import { captionOf } from "@manyhands/schema";
import type { Attrs } from "@tiptap/pm/model";
import { t } from "../../i18n/t";
import { save } from "../../page/copies";

const LONGEST_NAME = 60;

export async function downloadPicture(attrs: Attrs): Promise<void> {
  const answer = await fetch(String(attrs.src));
  const content = await answer.blob();
  if (!answer.ok || !content.type.startsWith("image/")) throw new Error("No picture came");
  const words = captionOf(attrs) || String(attrs.alt ?? "");
  const name =
    words
      .replace(/[^\p{L}\p{N} _.-]/gu, "")
      .trim()
      .slice(0, LONGEST_NAME) || t("Picture");
  const ending = content.type.slice("image/".length).replace("jpeg", "jpg");
  save({ filename: `${name}.${ending}`, content });
}
