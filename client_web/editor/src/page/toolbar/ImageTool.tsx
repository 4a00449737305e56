/** Chooses images from this device; pasting and dropping them into the text does the same. */

import type { Editor } from "@tiptap/core";
import { ImagePlus } from "lucide-react";
import { useRef } from "react";
import { PICTURE_TYPES, uploadFiles } from "../../extensions/uploads";
import { t } from "../../i18n/t";
import { useAtCursor } from "../useAtCursor";
import { Tool } from "./ToolButton";

export function ImageTool({ editor }: { readonly editor: Editor }) {
  const input = useRef<HTMLInputElement>(null);
  const isEditable = useAtCursor(editor, () => editor.isEditable);
  return (
    <>
      <Tool
        icon={ImagePlus}
        label={t("Insert an image")}
        disabled={!isEditable}
        onClick={() => input.current?.click()}
      />
      <input
        ref={input}
        type="file"
        accept={PICTURE_TYPES.join(",")}
        multiple
        hidden
        onChange={({ target }) => {
          uploadFiles(editor, [...(target.files ?? [])]);
          target.value = "";
        }}
      />
    </>
  );
}
