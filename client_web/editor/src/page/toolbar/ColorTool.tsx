/** Swatches for the colour of the text and of the marker behind it. */

import type { Editor } from "@tiptap/core";
import { Ban, Baseline, Highlighter, type LucideIcon } from "lucide-react";
import type { CSSProperties } from "react";
import { useState } from "react";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Popover } from "../../ui/Popover";
import { backIntoText } from "../backIntoText";
import { useAtCursor } from "../useAtCursor";
import { Tool } from "./ToolButton";

interface Swatch {
  readonly name: string;
  readonly color: string;
}

interface Palette {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly none: string;
  readonly swatches: readonly Swatch[];
  readonly current: (editor: Editor) => string | null;
  readonly choose: (editor: Editor, color: string | null) => void;
}

const TEXT: Palette = {
  label: t("Text colour"),
  icon: Baseline,
  none: t("Automatic"),
  swatches: [
    { name: t("Grey"), color: "#6b6b6b" },
    { name: t("Red"), color: "#c0262d" },
    { name: t("Orange"), color: "#b8540a" },
    { name: t("Ochre"), color: "#8a6400" },
    { name: t("Green"), color: "#23753a" },
    { name: t("Teal"), color: "#0b6e72" },
    { name: t("Blue"), color: "#1d5fc4" },
    { name: t("Indigo"), color: "#4b45b8" },
    { name: t("Purple"), color: "#8034a8" },
    { name: t("Pink"), color: "#b02a73" },
  ],
  current: (editor) => asColor(editor.getAttributes("textStyle").color),
  choose: (editor, color) => {
    const chain = editor.chain().focus();
    (color ? chain.setColor(color) : chain.unsetColor()).run();
  },
};

export const MARKER: Palette = {
  label: t("Highlight"),
  icon: Highlighter,
  none: t("None"),
  swatches: [
    { name: t("Yellow"), color: "#fff3a3" },
    { name: t("Orange"), color: "#ffddb0" },
    { name: t("Red"), color: "#ffcfca" },
    { name: t("Pink"), color: "#fccfe6" },
    { name: t("Purple"), color: "#e5d5fb" },
    { name: t("Blue"), color: "#cfe2ff" },
    { name: t("Teal"), color: "#c3ecea" },
    { name: t("Green"), color: "#cdeecb" },
    { name: t("Sand"), color: "#eae3d2" },
    { name: t("Grey"), color: "#e2e2e2" },
  ],
  current: (editor) => asColor(editor.getAttributes("highlight").color),
  choose: (editor, color) => {
    const chain = editor.chain().focus();
    (color ? chain.setHighlight({ color }) : chain.unsetHighlight()).run();
  },
};

export function TextColorTool({ editor }: { readonly editor: Editor }) {
  return <ColorTool editor={editor} palette={TEXT} />;
}

export function MarkerTool({ editor }: { readonly editor: Editor }) {
  return <ColorTool editor={editor} palette={MARKER} />;
}

function ColorTool({ editor, palette }: { readonly editor: Editor; readonly palette: Palette }) {
  const [isOpen, setOpen] = useState(false);
  const { current, isEditable } = useAtCursor(editor, () => ({
    current: palette.current(editor),
    isEditable: editor.isEditable,
  }));
  const choose = (color: string | null) => {
    setOpen(false);
    palette.choose(editor, color);
  };
  return (
    <Popover
      label={palette.label}
      open={isOpen}
      onOpenChange={setOpen}
      align="start"
      className="page-swatches"
      {...backIntoText(editor)}
      trigger={
        <Tool
          icon={palette.icon}
          label={palette.label}
          disabled={!isEditable}
          className="page-color-tool"
          style={{ "--tool-color": current ?? "transparent" } as CSSProperties}
        />
      }
    >
      <div className="page-swatch-grid">
        {palette.swatches.map(({ name, color }) => (
          <button
            key={color}
            type="button"
            className="page-swatch"
            style={{ backgroundColor: color }}
            aria-label={name}
            aria-pressed={current?.toLowerCase() === color}
            title={name}
            onClick={() => choose(color)}
          />
        ))}
      </div>
      <Button
        variant="ghost"
        size="small"
        icon={Ban}
        className="page-swatch-none"
        onClick={() => choose(null)}
      >
        {palette.none}
      </Button>
    </Popover>
  );
}

function asColor(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
