/** The form of the formula that is open: its LaTeX, and what is wrong with it; the sheet shows the formula meanwhile. */

import { LONGEST_FORMULA, latexOf } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import { NodeSelection, Selection } from "@tiptap/pm/state";
import { type KeyboardEvent, memo, useCallback, useEffect, useId, useRef, useState } from "react";
import { t } from "../../i18n/t";
import { Floating } from "../../page/Floating";
import { useAtCursor } from "../../page/useAtCursor";
import { Button } from "../../ui/Button";
import { closeFormula, formulaIn, writeFormula } from "./formulas";
import { typeset } from "./typeset";
import "./formulas.css";

/** Milliseconds without a key after which a formula goes into the document. */
const PAUSE = 250;

const EXAMPLE = "E = mc^2";

export const FormulaForm = memo(function FormulaForm({ editor }: { readonly editor: Editor }) {
  const id = useId();
  const stored = useAtCursor(editor, () => latexOf(formulaIn(editor.state)?.attrs ?? {}));
  /** What is written here and not yet in the document. */
  const [draft, setDraft] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const beside = useCallback(() => {
    if (editor.isDestroyed || !formulaIn(editor.state)) return null;
    const dom = editor.view.nodeDOM(editor.state.selection.from);
    return dom instanceof Element ? dom.getBoundingClientRect() : null;
  }, [editor]);
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    if (draft === null) return;
    const timer = setTimeout(() => keep(), PAUSE);
    return () => clearTimeout(timer);
  });
  const keep = () => {
    if (draft === null || editor.isDestroyed) return;
    writeFormula(editor, draft);
    setDraft(null);
  };
  const latex = draft ?? stored;
  const isBlock = formulaIn(editor.state)?.isBlock ?? false;
  const made = latex.trim() === "" ? null : typeset(latex, isBlock, "mathml");
  const problem = made && "problem" in made ? made.problem : null;
  const done = () => {
    if (draft !== null) writeFormula(editor, draft);
    closeFormula(editor);
    const { state, view } = editor;
    if (state.selection instanceof NodeSelection) {
      const behind = Selection.near(state.doc.resolve(state.selection.to), 1);
      view.dispatch(state.tr.setSelection(behind));
    }
    view.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const ends = event.key === "Escape" || (event.key === "Enter" && !event.shiftKey);
    if (!ends) return;
    event.preventDefault();
    event.stopPropagation();
    done();
  };
  return (
    <Floating editor={editor} label={t("Formula")} beside={beside} side="below">
      <div className="page-formula-form">
        <label htmlFor={id} className="ui-field-label">
          {t("Formula in LaTeX")}
        </label>
        <textarea
          id={id}
          ref={field}
          rows={isBlock ? 3 : 2}
          maxLength={LONGEST_FORMULA}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={EXAMPLE}
          value={latex}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-note`}
          onChange={({ target }) => setDraft(target.value)}
          onBlur={keep}
          onKeyDown={onKeyDown}
        />
        <p
          id={`${id}-note`}
          role="status"
          className={problem ? "ui-field-note ui-field-note--error" : "ui-field-note"}
        >
          {problem ?? t("Enter ends the formula, Shift+Enter begins another line.")}
        </p>
        <div className="page-link-buttons">
          <Button size="small" variant="primary" onClick={done}>
            {t("Done")}
          </Button>
        </div>
      </div>
    </Floating>
  );
});
