/** Font, size and line spacing of what is selected. */

import type { Editor } from "@tiptap/core";
import { ALargeSmall } from "lucide-react";
import { useId } from "react";
import { t } from "../../i18n/t";
import { Popover } from "../../ui/Popover";
import { useAtCursor } from "../useAtCursor";
import { Tool } from "./ToolButton";

interface Options {
  readonly label: string;
  readonly usual: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly current: (editor: Editor) => string;
  /** An empty value stands for the usual one. */
  readonly choose: (editor: Editor, value: string) => void;
}

const same = (value: string) => ({ value, label: value });

const SIZES = [8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 32, 36, 48, 60, 72];

const FONT: Options = {
  label: t("Font"),
  usual: t("Usual font"),
  options: [
    { value: "Arial, Helvetica, sans-serif", label: "Arial" },
    { value: "Verdana, Geneva, sans-serif", label: "Verdana" },
    { value: "Trebuchet MS, sans-serif", label: "Trebuchet" },
    { value: "Georgia, serif", label: "Georgia" },
    { value: "Times New Roman, Times, serif", label: "Times New Roman" },
    { value: "Courier New, Courier, monospace", label: "Courier New" },
    { value: "Comic Sans MS, cursive", label: "Comic Sans" },
  ],
  current: (editor) => String(editor.getAttributes("textStyle").fontFamily ?? ""),
  choose: (editor, font) =>
    (font ? editor.chain().setFontFamily(font) : editor.chain().unsetFontFamily()).run(),
};

const SIZE: Options = {
  label: t("Size"),
  usual: t("Usual size"),
  options: SIZES.map((size) => ({ value: `${size}pt`, label: t("{size} pt", { size }) })),
  current: (editor) => String(editor.getAttributes("textStyle").fontSize ?? ""),
  choose: (editor, size) => (size ? editor.chain().setFontSize(size) : editor.chain().unsetFontSize()).run(),
};

const SPACING: Options = {
  label: t("Line spacing"),
  usual: t("Usual spacing"),
  options: ["1", "1.15", "1.3", "1.5", "2", "2.5", "3"].map(same),
  current: ({ state }) => String(state.selection.$from.parent.attrs.lineHeight ?? ""),
  choose: (editor, spacing) => {
    const lineHeight = spacing || null;
    editor
      .chain()
      .updateAttributes("paragraph", { lineHeight })
      .updateAttributes("heading", { lineHeight })
      .run();
  },
};

const ALL = [FONT, SIZE, SPACING];

export function TypeTool({ editor }: { readonly editor: Editor }) {
  const isPossible = useAtCursor(editor, () => editor.isEditable && editor.can().setFontSize("12pt"));
  return (
    <Popover
      label={t("Font, size and spacing")}
      align="start"
      className="page-type-tool"
      trigger={<Tool icon={ALargeSmall} label={t("Font, size and spacing")} disabled={!isPossible} />}
    >
      {ALL.map((each) => (
        <Chooser key={each.label} editor={editor} of={each} />
      ))}
    </Popover>
  );
}

function Chooser({ editor, of }: { readonly editor: Editor; readonly of: Options }) {
  const id = useId();
  const current = useAtCursor(editor, () => of.current(editor));
  const isOffered = current === "" || of.options.some(({ value }) => value === current);
  return (
    <>
      <label htmlFor={id}>{of.label}</label>
      <select id={id} value={current} onChange={({ target }) => of.choose(editor, target.value)}>
        <option value="">{of.usual}</option>
        {of.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
        {/* What another program or an older page has set. */}
        {!isOffered && <option value={current}>{current}</option>}
      </select>
    </>
  );
}
