/** A picture as large as the window, with its caption; Esc or a press beside it goes back. */

import { captionOf, isAllowedImage } from "@manyhands/schema";
import type { Attrs } from "@tiptap/pm/model";
import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { t } from "../../i18n/t";

export interface FullSizeProps {
  readonly attrs: Attrs;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  /** Takes the focus back. */
  readonly onGone: () => void;
}

export function FullSize({ attrs, open, onOpenChange, onGone }: FullSizeProps) {
  const { src, alt } = attrs;
  const caption = captionOf(attrs);
  if (!isAllowedImage(src)) return null;
  const words = typeof alt === "string" ? alt : "";
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="ui-dialog-scrim" />
        <Dialog.Content
          className="page-picture-full"
          aria-describedby={undefined}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            onGone();
          }}
          onClick={() => onOpenChange(false)}
        >
          <Dialog.Title className="ui-hidden">{caption || words || t("Picture")}</Dialog.Title>
          <img src={src} alt={words} />
          {caption && <p>{caption}</p>}
          <Dialog.Close className="ui-icon-button page-picture-full-close" aria-label={t("Close")}>
            <X aria-hidden="true" size={20} />
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
