/** The toolbar: groups in order of use; what does not fit beside the others moves into a panel. */

import type { Editor } from "@tiptap/core";
import { Ellipsis, Link, MessageSquarePlus } from "lucide-react";
import { Toolbar } from "radix-ui";
import { memo, type ReactNode, useRef } from "react";
import { t } from "../../i18n/t";
import { Popover } from "../../ui/Popover";
import {
  alignments,
  blocks,
  type Command,
  clearFormatting,
  directions,
  history,
  lists,
  marks,
  rule,
  shifts,
} from "../commands";
import { keys } from "../keys";
import { BlockTool, InsertTool } from "./BlockTools";
import { MarkerTool, TextColorTool } from "./ColorTool";
import { ImageTool } from "./ImageTool";
import { StyleMenu } from "./StyleMenu";
import { TableTool } from "./TableTool";
import { Tool, ToolButton } from "./ToolButton";
import { TypeTool } from "./TypeTool";
import { useFitting } from "./useFitting";
import "./toolbar.css";

export interface FormattingToolbarProps {
  readonly editor: Editor;
  readonly onEditLink: () => void;
  readonly onComment: () => void;
}

interface Group {
  readonly label: string;
  readonly tools: ReactNode;
}

/** The room that the toolbar will take, so that the words do not move when it comes. */
export function ToolbarToCome() {
  return (
    <div className="page-tools" aria-hidden="true">
      <div className="page-toolbar">
        <div className="page-toolbar-strip page-toolbar-strip--to-come" />
      </div>
    </div>
  );
}

export const FormattingToolbar = memo(function FormattingToolbar({
  editor,
  onEditLink,
  onComment,
}: FormattingToolbarProps) {
  const groups = groupsOf(editor, onEditLink, onComment);
  const strip = useRef<HTMLDivElement>(null);
  const fitting = useFitting(strip, groups.length);
  const rest = groups.slice(fitting);
  return (
    <section className="page-tools" aria-label={t("Tools")}>
      <Toolbar.Root
        className="page-toolbar"
        aria-label={t("Formatting")}
        loop
        onKeyDown={({ key }) => {
          if (key === "Escape") editor.commands.focus();
        }}
      >
        <div className="page-toolbar-strip" ref={strip}>
          {groups.slice(0, fitting).map((group) => (
            <ToolGroup key={group.label} {...group} />
          ))}
        </div>
        {rest.length > 0 && (
          <Popover
            label={t("More formatting")}
            align="end"
            className="page-toolbar-more"
            trigger={<Tool icon={Ellipsis} label={t("More formatting")} />}
          >
            <Toolbar.Root className="page-toolbar-rest" aria-label={t("More formatting")} loop>
              {rest.map((group) => (
                <ToolGroup key={group.label} {...group} />
              ))}
            </Toolbar.Root>
          </Popover>
        )}
      </Toolbar.Root>
    </section>
  );
});

function ToolGroup({ label, tools }: Group) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div role="group" aria-label={label} className="page-toolbar-group">
      {tools}
    </div>
  );
}

function groupsOf(editor: Editor, onEditLink: () => void, onComment: () => void): readonly Group[] {
  const buttons = (commands: readonly Command[]) =>
    commands.map((command) => <ToolButton key={command.id} editor={editor} command={command} />);
  const link = (
    <Tool
      icon={Link}
      label={t("Link")}
      shortcut={keys("Mod+K")}
      disabled={!editor.isEditable}
      onClick={onEditLink}
    />
  );
  return [
    { label: t("History"), tools: buttons(history) },
    { label: t("Paragraph style"), tools: <StyleMenu editor={editor} /> },
    {
      label: t("Text"),
      tools: (
        <>
          {buttons(marks)}
          {buttons(shifts)}
          <TypeTool editor={editor} />
          <TextColorTool editor={editor} />
          <MarkerTool editor={editor} />
        </>
      ),
    },
    {
      label: t("Insert"),
      tools: (
        <>
          <InsertTool editor={editor} />
          {link}
          <Tool
            icon={MessageSquarePlus}
            label={t("Comment on the selected words")}
            shortcut={keys("Mod+Alt+M")}
            onClick={onComment}
          />
          <ImageTool editor={editor} />
          <TableTool editor={editor} />
        </>
      ),
    },
    { label: t("Lists"), tools: buttons(lists) },
    { label: t("Alignment"), tools: buttons([...alignments, ...directions]) },
    {
      label: t("Blocks"),
      tools: (
        <>
          {buttons([...blocks, rule, clearFormatting])}
          <BlockTool editor={editor} />
        </>
      ),
    },
  ];
}
