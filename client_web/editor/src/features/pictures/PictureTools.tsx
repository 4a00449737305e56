/** The tools of the picture that is selected: a frame over it with handles, and a toolbar in it. */

import { type Editor, isNodeSelection } from "@tiptap/core";
import type { Attrs } from "@tiptap/pm/model";
import {
  Accessibility,
  AlignCenter,
  AlignLeft,
  AlignRight,
  Captions,
  Download,
  Ellipsis,
  type LucideIcon,
  Maximize2,
  MessageSquarePlus,
  Replace,
  ScanSearch,
  Trash2,
} from "lucide-react";
import { Toolbar } from "radix-ui";
import { memo, useCallback, useRef, useState } from "react";
import { PICTURE_TYPES, replacePicture } from "../../extensions/uploads";
import { t } from "../../i18n/t";
import { Framing } from "../../page/Floating";
import { keys } from "../../page/keys";
import { Tool } from "../../page/toolbar/ToolButton";
import { useAtCursor } from "../../page/useAtCursor";
import { Menu, MenuItem, MenuSeparator } from "../../ui/Menu";
import { Popover } from "../../ui/Popover";
import { ask, askingIn } from "./asking";
import { DescriptionForm } from "./DescriptionForm";
import { downloadPicture } from "./download";
import { FullSize } from "./FullSize";
import { PictureView } from "./picture_view";
import { SizeHandles } from "./SizeHandles";
import "./pictures.css";

interface Alignment {
  readonly side: "left" | "center" | "right";
  readonly label: string;
  readonly icon: LucideIcon;
}

const ALIGNMENTS: readonly Alignment[] = [
  { side: "left", label: t("Put the picture on the left"), icon: AlignLeft },
  { side: "center", label: t("Put the picture in the middle"), icon: AlignCenter },
  { side: "right", label: t("Put the picture on the right"), icon: AlignRight },
];

export interface PictureToolsProps {
  readonly editor: Editor;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
  /** Begins a comment on the picture; null for people who may not. */
  readonly onComment: (() => void) | null;
}

export const PictureTools = memo(function PictureTools({ editor, tell, onComment }: PictureToolsProps) {
  const attrs = useAtCursor(editor, () => selectedPicture(editor));
  const over = useCallback(() => viewOf(editor)?.image ?? null, [editor]);
  if (!attrs) return null;
  return (
    <Framing editor={editor} label={t("Picture")} over={over}>
      <Tools editor={editor} attrs={attrs} tell={tell} onComment={onComment} />
      {editor.isEditable && <SizeHandles editor={editor} />}
    </Framing>
  );
});

interface ToolsProps extends PictureToolsProps {
  readonly attrs: Attrs;
}

function Tools({ editor, attrs, tell, onComment }: ToolsProps) {
  const asking = useAtCursor(editor, () => askingIn(editor));
  const [isReplacing, setReplacing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const backToText = () => {
    editor.commands.focus(undefined, { scrollIntoView: false });
  };
  const replace = (file: File | undefined) => {
    if (!file) return;
    setReplacing(true);
    void replacePicture(editor, editor.state.selection.from, file).finally(() => setReplacing(false));
  };
  const download = () => downloadPicture(attrs).catch(() => tell(NO_DOWNLOAD));
  return (
    <>
      <Toolbar.Root
        className="page-floating-tools page-object-tools"
        aria-label={t("Picture")}
        data-align={attrs.textAlign ?? "left"}
        loop
        onKeyDown={({ key, defaultPrevented }) => {
          if (key === "Escape" && !defaultPrevented) backToText();
        }}
      >
        {editor.isEditable && (
          <>
            {ALIGNMENTS.map(({ side, label, icon }) => (
              <Tool
                key={side}
                icon={icon}
                iconSize={17}
                label={label}
                pressed={(attrs.textAlign ?? "left") === side}
                onClick={() => editor.commands.setTextAlign(side)}
              />
            ))}
            <Tool
              icon={Captions}
              iconSize={17}
              label={t("Caption")}
              pressed={Boolean(attrs.caption)}
              onClick={() => viewOf(editor)?.editCaption()}
            />
            <Popover
              label={t("Description of the picture")}
              open={asking === "description"}
              onOpenChange={(isOpen) => ask(editor, isOpen ? "description" : null)}
              className="page-picture-description"
              trigger={
                <Tool
                  icon={Accessibility}
                  iconSize={17}
                  label={attrs.alt === null ? t("Describe the picture") : t("Change the description")}
                  className={attrs.alt === null ? "page-picture-undescribed" : undefined}
                />
              }
            >
              <DescriptionForm editor={editor} attrs={attrs} onDone={() => ask(editor, null)} />
            </Popover>
          </>
        )}
        {onComment && (
          <Tool
            icon={MessageSquarePlus}
            iconSize={17}
            label={t("Comment on the picture")}
            shortcut={keys("Mod+Alt+M")}
            onClick={onComment}
          />
        )}
        <Tool icon={Maximize2} iconSize={16} label={t("Full size")} onClick={() => ask(editor, "fullSize")} />
        {editor.isEditable ? (
          <Menu
            align="end"
            trigger={<Tool icon={Ellipsis} iconSize={17} label={t("More about the picture")} />}
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              backToText();
            }}
          >
            <MenuItem icon={Replace} disabled={isReplacing} onSelect={() => input.current?.click()}>
              {t("Replace…")}
            </MenuItem>
            <MenuItem icon={Download} onSelect={download}>
              {t("Download")}
            </MenuItem>
            <MenuItem icon={ScanSearch} onSelect={() => originalSize(editor)}>
              {t("Original size")}
            </MenuItem>
            <MenuSeparator />
            <MenuItem icon={Trash2} tone="danger" onSelect={() => editor.commands.deleteSelection()}>
              {t("Delete")}
            </MenuItem>
          </Menu>
        ) : (
          <Tool icon={Download} iconSize={17} label={t("Download")} onClick={download} />
        )}
      </Toolbar.Root>
      <input
        ref={input}
        type="file"
        aria-label={t("Another picture")}
        accept={PICTURE_TYPES.join(",")}
        hidden
        onChange={({ target }) => {
          replace(target.files?.[0]);
          target.value = "";
        }}
      />
      <FullSize
        attrs={attrs}
        open={asking === "fullSize"}
        onOpenChange={(isOpen) => ask(editor, isOpen ? "fullSize" : null)}
        onGone={backToText}
      />
    </>
  );
}

const NO_DOWNLOAD = t("The picture was not downloaded: the server cannot be reached. Try again later.");

function selectedPicture({ state: { selection } }: Editor): Attrs | null {
  return isNodeSelection(selection) && selection.node.type.name === "image" ? selection.node.attrs : null;
}

function viewOf(editor: Editor): PictureView | null {
  if (editor.isDestroyed || !selectedPicture(editor)) return null;
  return PictureView.of(editor.view.nodeDOM(editor.state.selection.from));
}

/** As wide as the picture's own pixels; the sheet bounds what is shown. */
function originalSize(editor: Editor): void {
  const image = viewOf(editor)?.image;
  if (!image || image.naturalWidth === 0) return;
  const { naturalWidth: width, naturalHeight: height } = image;
  editor.commands.updateAttributes("image", { width, height });
}
