/** The panel that finds and replaces; it stands over the sheet, and the text can be written in beside it. */

import type { Editor } from "@tiptap/core";
import {
  CaseSensitive,
  ChevronDown,
  ChevronRight,
  ChevronUp,
  createLucideIcon,
  type LucideIcon,
  Regex,
  Replace,
  ReplaceAll,
  WholeWord,
  X,
} from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { t } from "../../i18n/t";
import { isCommand, keys } from "../../page/keys";
import { IconButton } from "../../ui/IconButton";
import { TextField } from "../../ui/TextField";
import { Finder, type Found, NO_QUERY } from "./finder";
import { darken, lead, light } from "./lights";
import type { Query } from "./matching";
import { type Scanner, workerScanner } from "./scanning";
import type { FindSwitch } from "./useFind";
import "./find.css";

export interface FindPanelProps {
  readonly editor: Editor;
  readonly asked: NonNullable<FindSwitch["open"]>;
  readonly onClose: () => void;
  /** A test gives another one. */
  readonly scanner?: () => Scanner;
}

export function FindPanel({ editor, scanner = workerScanner, ...props }: FindPanelProps) {
  const [finder, setFinder] = useState<Finder | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a scanner is made once for each editor
  useEffect(() => {
    const made = new Finder(editor, scanner());
    setFinder(made);
    return () => made.destroy();
  }, [editor]);
  return finder && <Panel editor={editor} finder={finder} {...props} />;
}

const Accents = createLucideIcon("accents", [
  ["path", { d: "M6 15h12a6 5 0 1 0-2.2 3.9", key: "letter" }],
  ["path", { d: "m11.5 6.5 3-3.5", key: "accent" }],
]);

const OPTIONS: readonly {
  readonly name: Exclude<keyof Query, "text">;
  readonly label: string;
  readonly icon: LucideIcon;
}[] = [
  { name: "isCaseKept", label: t("Match capital letters"), icon: CaseSensitive },
  { name: "isWord", label: t("Whole words only"), icon: WholeWord },
  { name: "isFolded", label: t("Ignore accents: e finds é, ss finds ß"), icon: Accents },
  { name: "isExpression", label: t("Regular expression"), icon: Regex },
];

type PanelProps = Omit<FindPanelProps, "scanner"> & { readonly finder: Finder };

function Panel({ editor, finder, asked, onClose }: PanelProps) {
  const found = useSyncExternalStore(finder.subscribe, finder.snapshot);
  const [query, setQuery] = useState(NO_QUERY);
  const [words, setWords] = useState("");
  const [isReplacing, setReplacing] = useState(asked.isReplacing);
  const field = useRef<HTMLInputElement>(null);
  const mayReplace = editor.isEditable;
  useLights(editor, finder, found);

  const ask = (change: Partial<Query>) => {
    const wanted = { ...query, ...change };
    setQuery(wanted);
    finder.ask(wanted);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that somebody opens it, and not when the query changes
  useEffect(() => {
    const { text } = query;
    if (asked.isReplacing) setReplacing(true);
    ask({ text: asked.words || text });
    field.current?.focus();
    field.current?.select();
  }, [asked, finder]);

  useEffect(() => {
    const goOn = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "F3" && !isCommand(event, "g")) return;
      event.preventDefault();
      finder.go(event.shiftKey ? -1 : 1);
    };
    window.addEventListener("keydown", goOn);
    return () => window.removeEventListener("keydown", goOn);
  }, [finder]);

  const close = () => {
    const { present } = finder;
    onClose();
    if (present) editor.commands.setTextSelection(present);
    editor.commands.focus(undefined, { scrollIntoView: false });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key !== "Escape") return;
    close();
    event.preventDefault();
    event.stopPropagation();
  };
  const onEnter = (act: (isBack: boolean) => void) => (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
    event.preventDefault();
    act(event.shiftKey);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers of 2023 do not know <search>
    <div role="search" aria-label={t("Find in the document")} className="find" onKeyDown={onKeyDown}>
      <div className="find-row">
        {mayReplace && (
          <IconButton
            icon={isReplacing ? ChevronDown : ChevronRight}
            iconSize={16}
            size="small"
            label={isReplacing ? t("Hide replacing") : t("Show replacing")}
            aria-expanded={isReplacing}
            onClick={() => setReplacing(!isReplacing)}
          />
        )}
        <TextField
          label={t("Find")}
          labelHidden
          placeholder={t("Find")}
          ref={field}
          value={query.text}
          error={found.problem}
          spellCheck={false}
          autoComplete="off"
          enterKeyHint="search"
          onChange={({ target }) => ask({ text: target.value })}
          onKeyDown={onEnter((isBack) => finder.go(isBack ? -1 : 1))}
          trailing={
            <span className="find-count" aria-hidden="true">
              {countOf(found)}
            </span>
          }
        />
        <IconButton
          icon={ChevronUp}
          size="small"
          label={t("Previous hit")}
          shortcut={keys("Shift+F3")}
          aria-disabled={found.spans.length === 0}
          onClick={() => finder.go(-1)}
        />
        <IconButton
          icon={ChevronDown}
          size="small"
          label={t("Next hit")}
          shortcut={keys("F3")}
          aria-disabled={found.spans.length === 0}
          onClick={() => finder.go(1)}
        />
        <IconButton icon={X} size="small" label={t("Close the search")} shortcut="Esc" onClick={close} />
      </div>
      {isReplacing && mayReplace && (
        <div className="find-row find-row--replace">
          <TextField
            label={t("Replace with")}
            labelHidden
            placeholder={t("Replace with")}
            value={words}
            autoComplete="off"
            onChange={({ target }) => setWords(target.value)}
            onKeyDown={onEnter(() => void finder.replace(words))}
          />
          <IconButton
            icon={Replace}
            size="small"
            label={t("Replace this hit")}
            aria-disabled={found.current < 0}
            onClick={() => void finder.replace(words)}
          />
          <IconButton
            icon={ReplaceAll}
            size="small"
            label={t("Replace all hits")}
            aria-disabled={found.spans.length === 0}
            onClick={() => void finder.replaceAll(words)}
          />
        </div>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div className="find-row find-options" role="group" aria-label={t("How to search")}>
        {OPTIONS.map(({ name, label, icon }) => (
          <IconButton
            key={name}
            icon={icon}
            size="small"
            label={label}
            pressed={query[name]}
            onClick={() => ask({ [name]: !query[name] })}
          />
        ))}
        {found.replaced !== null && <span className="find-count">{replacedOf(found.replaced)}</span>}
      </div>
      <News found={found} />
    </div>
  );
}

/** Keeps the hits in view lit, and leads to the present one. */
function useLights(editor: Editor, finder: Finder, found: Found): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: others' changes lead nobody away from what they read
  useEffect(() => {
    if (finder.present) lead(editor, finder.present);
  }, [editor, finder, found.led]);
  useEffect(() => {
    let frame = 0;
    const draw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        light(editor, found);
      });
    };
    draw();
    const desk = editor.view.dom.closest(".page-desk");
    desk?.addEventListener("scroll", draw, { passive: true });
    window.addEventListener("resize", draw);
    return () => {
      cancelAnimationFrame(frame);
      desk?.removeEventListener("scroll", draw);
      window.removeEventListener("resize", draw);
    };
  }, [editor, found]);
  useEffect(() => darken, []);
}

function countOf({ query, spans, current, isSearching, problem }: Found): string {
  if (query.text === "" || problem !== null) return "";
  if (isSearching) return t("Searching…");
  if (spans.length === 0) return t("No hits");
  return current < 0
    ? t("{count, plural, one {# hit} other {# hits}}", { count: spans.length })
    : t("{number, number} of {count, number}", { number: current + 1, count: spans.length });
}

function replacedOf(count: number): string {
  return t("{count, plural, one {# hit replaced} other {# hits replaced}}", { count });
}

/** Screen readers hear where one is when one has stopped typing; not each count that others' writing changes. */
const PAUSE_MS = 500;

function News({ found }: { readonly found: Found }) {
  const [said, setSaid] = useState("");
  const { query, led, replaced, isSearching } = found;
  const sentence = useRef("");
  sentence.current = replaced === null ? countOf(found) : replacedOf(replaced);
  // biome-ignore lint/correctness/useExhaustiveDependencies: said when the person has done something
  useEffect(() => {
    const pause = setTimeout(() => setSaid(sentence.current), PAUSE_MS);
    return () => clearTimeout(pause);
  }, [query, led, replaced, isSearching]);
  return (
    <p className="ui-hidden" role="status">
      {said}
    </p>
  );
}
