/** Formulas in the sheet: they are drawn when they are there, and edited by a click or Enter. */

import { BlockMath, FORMULAS, InlineMath, latexOf } from "@manyhands/schema";
import { type Editor, InputRule } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { type EditorState, NodeSelection, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import type { NodeView } from "@tiptap/pm/view";
import { drawSuggestion } from "../../extensions/suggested";
import { t } from "../../i18n/t";

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    formulas: {
      /** Puts a formula at the selection, and opens it. */
      insertFormula: (kind: "inlineMath" | "blockMath") => ReturnType;
    };
  }
}

/** Whether the formula that is selected is open. */
const key = new PluginKey<boolean>("formulas");

export const InlineFormula = InlineMath.extend({
  addNodeView() {
    return ({ node }) => new FormulaView(node);
  },
  addInputRules() {
    return [typed(/(?<!\$)\$\$([^$\n]+)\$\$$/, this.type.name)];
  },
  addCommands() {
    return {
      insertFormula:
        (kind) =>
        ({ tr, state, dispatch }) => {
          const type = state.schema.nodes[kind];
          if (!type) return false;
          const { $from } = state.selection;
          if ($from.parent.type.spec.code) return false;
          if (dispatch) openNew(tr, type.create());
          return true;
        },
    };
  },
  addKeyboardShortcuts() {
    return {
      Enter: ({ editor: { state, view } }) => {
        if (!formulaIn(state)) return false;
        view.dispatch(state.tr.setMeta(key, true));
        return true;
      },
    };
  },
  addProseMirrorPlugins() {
    return [
      new Plugin<boolean>({
        key,
        state: {
          init: () => false,
          apply: (transaction, isOpen, _before, state) =>
            formulaIn(state) !== null && ((transaction.getMeta(key) as boolean | undefined) ?? isOpen),
        },
        props: {
          handleClickOn: (view, _pos, node, at, _event, isDirect) => {
            if (!isDirect || !FORMULAS.includes(node.type.name) || !view.editable) return false;
            const { tr, doc } = view.state;
            view.dispatch(tr.setSelection(NodeSelection.create(doc, at)).setMeta(key, true));
            return true;
          },
        },
      }),
    ];
  },
});

export const BlockFormula = BlockMath.extend({
  addNodeView() {
    return ({ node }) => new FormulaView(node);
  },
  addInputRules() {
    return [typed(/^\$\$\$([^$\n]+)\$\$\$$/, this.type.name)];
  },
});

/** The formula that is selected. */
export function formulaIn({ selection }: EditorState): Node | null {
  return selection instanceof NodeSelection && FORMULAS.includes(selection.node.type.name)
    ? selection.node
    : null;
}

export function isFormulaOpen({ state }: Editor): boolean {
  return key.getState(state) === true;
}

/** Writes what the selected formula says; an empty one is taken away when it is closed. */
export function writeFormula({ state, view }: Editor, latex: string): void {
  const formula = formulaIn(state);
  if (!formula || latexOf(formula.attrs) === latex) return;
  view.dispatch(state.tr.setNodeAttribute(state.selection.from, "latex", latex));
}

export function closeFormula({ state, view }: Editor): void {
  const formula = formulaIn(state);
  if (!formula) return;
  const tr = state.tr.setMeta(key, false);
  view.dispatch(latexOf(formula.attrs) === "" ? tr.deleteSelection() : tr);
}

function openNew(tr: Transaction, formula: Node): void {
  const before = tr.selection.from;
  tr.replaceSelectionWith(formula, false);
  const at = tr.mapping.map(before, -1);
  tr.doc.nodesBetween(Math.max(at - 1, 0), Math.min(at + 2, tr.doc.content.size), (node, found) => {
    if (node.type === formula.type && latexOf(node.attrs) === "")
      tr.setSelection(NodeSelection.create(tr.doc, found)).setMeta(key, true);
  });
}

function typed(find: RegExp, name: string): InputRule {
  return new InputRule({
    find,
    handler: ({ state, range, match }) => {
      const formula = state.schema.nodes[name]?.create({ latex: match[1]?.trim() });
      if (formula) state.tr.replaceRangeWith(range.from, range.to, formula);
    },
  });
}

/** A formula's element. It shows the LaTeX until KaTeX is there, and where KaTeX cannot read it. */
class FormulaView implements NodeView {
  readonly dom: HTMLElement;
  #node: Node;

  constructor(node: Node) {
    this.#node = node;
    this.dom = document.createElement(node.isInline ? "span" : "div");
    this.dom.className = "page-formula";
    drawSuggestion(this.dom, node);
    void this.#draw();
  }

  update(node: Node): boolean {
    if (node.type !== this.#node.type) return false;
    const isSame = latexOf(node.attrs) === latexOf(this.#node.attrs);
    this.#node = node;
    drawSuggestion(this.dom, node);
    if (!isSame) void this.#draw();
    return true;
  }

  ignoreMutation(): boolean {
    return true;
  }

  async #draw(): Promise<void> {
    const latex = latexOf(this.#node.attrs);
    this.dom.toggleAttribute("data-empty", latex.trim() === "");
    if (latex.trim() === "") {
      this.#say(t("Empty formula"));
      return;
    }
    if (!this.dom.hasChildNodes()) this.#say(latex);
    const { typeset } = await import("./typeset");
    if (latexOf(this.#node.attrs) !== latex) return;
    const made = typeset(latex, !this.#node.isInline, "htmlAndMathml");
    this.dom.toggleAttribute("data-unreadable", "problem" in made);
    if ("problem" in made) {
      this.#say(latex);
      this.dom.title = made.problem;
    } else {
      this.dom.removeAttribute("title");
      // KaTeX writes this, and lets nothing through that could act (trust: false).
      this.dom.innerHTML = made.html;
    }
  }

  #say(words: string): void {
    const text = document.createElement("code");
    text.textContent = words;
    this.dom.replaceChildren(text);
  }
}
