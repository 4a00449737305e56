/** One command as a button of a toolbar, on or off as the text at the selection is. */

import type { Editor } from "@tiptap/core";
import { Toolbar } from "radix-ui";
import type { ComponentProps } from "react";
import { IconButton } from "../../ui/IconButton";
import type { Command } from "../commands";
import { keys } from "../keys";
import { useAtCursor } from "../useAtCursor";

export interface ToolButtonProps {
  readonly editor: Editor;
  readonly command: Command;
}

export function ToolButton({ editor, command }: ToolButtonProps) {
  const { label, isOn, isPossible } = useAtCursor(editor, () => ({
    label: command.labelNow?.(editor) ?? command.label,
    isOn: command.isOn?.(editor),
    isPossible: editor.isEditable && (command.isPossible?.(editor) ?? true),
  }));
  return (
    <Tool
      icon={command.icon}
      label={label}
      {...(command.shortcut === undefined ? {} : { shortcut: keys(command.shortcut) })}
      {...(isOn === undefined ? {} : { pressed: isOn })}
      disabled={!isPossible}
      onPointerEnter={() => isPossible && command.show?.(editor)}
      onPointerLeave={() => command.hide?.()}
      onFocus={() => isPossible && command.show?.(editor)}
      onBlur={() => command.hide?.()}
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
