/** The tools of the code block that the cursor is in: its language, and a button that copies it. */

import type { Editor } from "@tiptap/core";
import { Check, Copy } from "lucide-react";
import { memo, useCallback, useEffect, useState } from "react";
import { t } from "../../i18n/t";
import { Framing } from "../../page/Floating";
import { keys } from "../../page/keys";
import { useAtCursor } from "../../page/useAtCursor";
import { IconButton } from "../../ui/IconButton";
import { isOffered, LANGUAGES, languageOf } from "./languages";
import "./code.css";

export interface CodeToolsProps {
  readonly editor: Editor;
  /** Says a sentence to the person. */
  readonly tell: (sentence: string) => void;
}

/** Milliseconds for which the button says that the code is copied. */
const COPIED = 2_000;

export const CodeTools = memo(function CodeTools({ editor, tell }: CodeToolsProps) {
  const stored = useAtCursor(editor, () => editor.getAttributes("codeBlock").language as unknown);
  const over = useCallback(() => blockIn(editor), [editor]);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const language = languageOf(stored);
  const copy = () => {
    const code = editor.state.selection.$from.parent.textContent;
    copyText(code).then(
      () => setCopied(true),
      () =>
        tell(
          t("This browser lets the page copy nothing. Select the code and press {keys}.", {
            keys: keys("Mod+C"),
          }),
        ),
    );
  };
  return (
    <Framing editor={editor} label={t("Code")} over={over}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div
        role="group"
        aria-label={t("Code")}
        className="page-object-tools page-code-tools"
        onKeyDown={({ key }) => {
          if (key === "Escape") editor.commands.focus(undefined, { scrollIntoView: false });
        }}
      >
        <select
          aria-label={t("Language of the code")}
          value={language}
          disabled={!editor.isEditable}
          onChange={({ target }) => {
            const chain = editor.chain().focus(undefined, { scrollIntoView: false });
            chain.updateAttributes("codeBlock", { language: target.value || null }).run();
          }}
        >
          <option value="">{t("Plain text")}</option>
          {language !== "" && !isOffered(language) && <option value={language}>{language}</option>}
          {LANGUAGES.map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
        <IconButton
          icon={isCopied ? Check : Copy}
          iconSize={15}
          size="small"
          label={isCopied ? t("Copied") : t("Copy the code")}
          onClick={copy}
        />
        <span className="ui-hidden" role="status">
          {isCopied && t("The code is on the clipboard.")}
        </span>
      </div>
    </Framing>
  );
});

async function copyText(text: string): Promise<void> {
  // Absent on pages that are served over plain http from another machine.
  if (!navigator.clipboard) throw new Error("There is no clipboard");
  await navigator.clipboard.writeText(text);
}

function blockIn({ isDestroyed, state, view }: Editor): Element | null {
  const { $from } = state.selection;
  if (isDestroyed || $from.parent.type.name !== "codeBlock") return null;
  const dom = view.nodeDOM($from.before());
  return dom instanceof Element ? dom : null;
}
