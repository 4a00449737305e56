/** The menu at the caret: a list of choices, through which the keys go while the focus stays in the text. */

import type { Editor } from "@tiptap/core";
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import type { CaretMenuShown, CaretMenuStore, Choice } from "../../extensions/caret_menus";
import { t } from "../../i18n/t";
import { classes } from "../../ui/classes";
import "./inserting.css";

export interface CaretMenuProps {
  readonly editor: Editor;
  readonly store: CaretMenuStore;
}

export function CaretMenu({ editor, store }: CaretMenuProps) {
  const shown = useSyncExternalStore(store.subscribe, store.shown);
  return (
    <>
      {shown && <ChoiceList editor={editor} shown={shown} onPoint={(index) => store.point(index)} />}
      <p className="ui-hidden" aria-live="polite">
        {shown && countOf(shown)}
      </p>
    </>
  );
}

function countOf({ label, choices }: CaretMenuShown): string {
  return t("{label}: {count, plural, one {one choice} other {# choices}}", { label, count: choices.length });
}

const LIST = "caret-menu";
const idOf = (index: number) => `${LIST}-${index}`;

interface ChoiceListProps {
  readonly editor: Editor;
  readonly shown: CaretMenuShown;
  readonly onPoint: (index: number) => void;
}

function ChoiceList({ editor, shown, onPoint }: ChoiceListProps) {
  const { label, choices, current, mount, choose } = shown;
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => (list.current ? mount(list.current) : undefined), [mount]);
  useEffect(() => {
    if (list.current) showCurrent(list.current);
  });
  useActiveDescendant(editor, idOf(current));
  return (
    <div ref={list} id={LIST} role="listbox" aria-label={label} tabIndex={-1} className="page-caret-menu">
      {choices.map((choice, index) => {
        const isFirst = choice.group !== undefined && choice.group !== choices[index - 1]?.group;
        return (
          <Option
            key={choice.id}
            id={idOf(index)}
            choice={choice}
            heading={isFirst ? choice.group : undefined}
            isCurrent={index === current}
            onPoint={() => onPoint(index)}
            onChoose={() => choose(choice)}
          />
        );
      })}
    </div>
  );
}

/** Scrolls the list alone: `scrollIntoView` would scroll the page too, where the list has no place yet. */
function showCurrent(list: HTMLElement): void {
  const option = list.querySelector('[aria-selected="true"]')?.getBoundingClientRect();
  if (!option) return;
  const { top, bottom } = list.getBoundingClientRect();
  list.scrollTop += Math.min(option.top - top, 0) + Math.max(option.bottom - bottom, 0);
}

/** The text keeps the focus, and says which choice its keys are at. */
function useActiveDescendant(editor: Editor, id: string): void {
  useEffect(() => {
    const { dom } = editor.view;
    dom.setAttribute("aria-autocomplete", "list");
    dom.setAttribute("aria-haspopup", "listbox");
    dom.setAttribute("aria-controls", LIST);
    return () => {
      const names = ["aria-autocomplete", "aria-haspopup", "aria-controls", "aria-activedescendant"];
      for (const name of names) dom.removeAttribute(name);
    };
  }, [editor]);
  useEffect(() => editor.view.dom.setAttribute("aria-activedescendant", id), [editor, id]);
}

interface OptionProps {
  readonly id: string;
  readonly choice: Choice;
  readonly heading: string | undefined;
  readonly isCurrent: boolean;
  readonly onPoint: () => void;
  readonly onChoose: () => void;
}

function Option({ id, choice, heading, isCurrent, onPoint, onChoose }: OptionProps) {
  return (
    <>
      {heading !== undefined && (
        <div className="ui-menu-label" aria-hidden="true">
          {heading}
        </div>
      )}
      {/* biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the text has the focus, and its keys choose */}
      <div
        id={id}
        role="option"
        aria-selected={isCurrent}
        className={classes("ui-menu-item", isCurrent && "page-caret-choice--current")}
        onPointerMove={onPoint}
        // The focus stays in the text.
        onMouseDown={(event) => event.preventDefault()}
        onClick={onChoose}
      >
        <span className="ui-menu-item-icon" aria-hidden="true">
          {typeof choice.icon === "string" ? choice.icon : <choice.icon size={16} />}
        </span>
        <span className="ui-menu-item-label">{choice.label}</span>
        {choice.detail !== undefined && <span className="page-caret-detail">{choice.detail}</span>}
      </div>
    </>
  );
}
