/** Swatches for the colour of the text and of the marker behind it. */

import type { Editor } from "@tiptap/core";
import { Ban, Baseline, Highlighter, type LucideIcon } from "lucide-react";
import type { CSSProperties } from "react";
import { useState } from "react";
import { Button } from "../../ui/Button";
import { Popover } from "../../ui/Popover";
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
  label: "Text colour",
  icon: Baseline,
  none: "Automatic",
  swatches: [
    { name: "Grey", color: "#6b6b6b" },
    { name: "Red", color: "#c0262d" },
    { name: "Orange", color: "#b8540a" },
    { name: "Ochre", color: "#8a6400" },
    { name: "Green", color: "#23753a" },
    { name: "Teal", color: "#0b6e72" },
    { name: "Blue", color: "#1d5fc4" },
    { name: "Indigo", color: "#4b45b8" },
    { name: "Purple", color: "#8034a8" },
    { name: "Pink", color: "#b02a73" },
  ],
  current: (editor) => asColor(editor.getAttributes("textStyle").color),
  choose: (editor, color) => {
    const chain = editor.chain().focus();
    (color ? chain.setColor(color) : chain.unsetColor()).run();
  },
};

export const MARKER: Palette = {
  label: "Highlight",
  icon: Highlighter,
  none: "None",
  swatches: [
    { name: "Yellow", color: "#fff3a3" },
    { name: "Orange", color: "#ffddb0" },
    { name: "Red", color: "#ffcfca" },
    { name: "Pink", color: "#fccfe6" },
    { name: "Purple", color: "#e5d5fb" },
    { name: "Blue", color: "#cfe2ff" },
    { name: "Teal", color: "#c3ecea" },
    { name: "Green", color: "#cdeecb" },
    { name: "Sand", color: "#eae3d2" },
    { name: "Grey", color: "#e2e2e2" },
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
      onCloseAutoFocus={(event) => event.preventDefault()}
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
