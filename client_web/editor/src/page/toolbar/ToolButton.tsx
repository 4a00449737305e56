/** One command as a button of a toolbar, on or off as the text at the selection is. */

import type { Editor } from "@tiptap/core";
import { useEditorState } from "@tiptap/react";
import { Toolbar } from "radix-ui";
import type { ComponentProps } from "react";
import { IconButton } from "../../ui/IconButton";
import type { Command } from "../commands";
import { keys } from "../keys";

export interface ToolButtonProps {
  readonly editor: Editor;
  readonly command: Command;
}

export function ToolButton({ editor, command }: ToolButtonProps) {
  const { isOn, isPossible } = useEditorState({
    editor,
    selector: () => ({
      isOn: command.isOn?.(editor),
      isPossible: editor.isEditable && (command.isPossible?.(editor) ?? true),
    }),
  });
  return (
    <Tool
      icon={command.icon}
      label={command.label}
      {...(command.shortcut === undefined ? {} : { shortcut: keys(command.shortcut) })}
      {...(isOn === undefined ? {} : { pressed: isOn })}
      disabled={!isPossible}
      onClick={() => command.run(editor)}
    />
  );
}

/** An icon button that the arrow keys reach, and that leaves the selection in the text alone. */
export function Tool(props: ComponentProps<typeof IconButton>) {
  return (
    <Toolbar.Button asChild>
      <IconButton size="small" onMouseDown={(event) => event.preventDefault()} {...props} />
    </Toolbar.Button>
  );
}
