/** The form of a link: an address, checked while one types, or a heading or document from the list below. */

import { hrefFromInput } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import { FileText, Hash, type LucideIcon } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useApi } from "../../api/ApiContext";
import { shownTitle } from "../../documents/titles";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { TextField } from "../../ui/TextField";
import { problemOf } from "./address";
import { addressOfHeading, headingsFor } from "./anchors";

export interface LinkFormProps {
  readonly editor: Editor;
  /** The document that is open, which is not offered. */
  readonly documentId: string;
  /** Where the link leads now; "" for a new one. */
  readonly href: string;
  readonly onDone: () => void;
}

interface Suggestion {
  readonly id: string;
  readonly label: string;
  readonly kind: "heading" | "document";
  readonly icon: LucideIcon;
  readonly address: () => string;
}

/** Suggestions of one kind, and milliseconds without a key before documents are searched. */
const MOST = 4;
const PAUSE = 200;

export function LinkForm({ editor, documentId, href, onDone }: LinkFormProps) {
  const id = useId();
  const [address, setAddress] = useState(href);
  const [words, setWords] = useState("");
  const [isAsked, setAsked] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  // After the form has its place: autoFocus would scroll to where it is before that.
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const needsWords = editor.state.selection.empty && href === "";
  const query = address === href ? "" : address;
  const suggestions = useSuggestions(editor, documentId, query);
  const problem = problemOf(address);
  // Somebody who writes a title is looking for something, and makes no mistake.
  const isSearching = problem !== null && suggestions.length > 0 && !/[:/]/.test(address);
  const error = problem !== null && (isAsked || !isSearching) ? problem : null;

  const apply = (target: string, fallback: string) => {
    if (needsWords) insertLink(editor, words.trim() || fallback, target);
    else editor.chain().extendMarkRange("link").setLink({ href: target }).run();
    onDone();
  };
  const choose = ({ address: find, label }: Suggestion) => apply(find(), label);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const picked = suggestions[chosen];
    if (picked) choose(picked);
    else if (address.trim() !== "" && problem === null) apply(hrefFromInput(address) ?? "", address.trim());
    else setAsked(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way === undefined || suggestions.length === 0) return;
    event.preventDefault();
    const places = suggestions.length + 1;
    setChosen((before) => ((before + 1 + way + places) % places) - 1);
  };
  const empty = isAsked && address.trim() === "" ? t("Write an address, or choose from the list.") : null;
  return (
    <form
      className="page-link-form"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone();
      }}
    >
      {needsWords && (
        <TextField label={t("Text")} value={words} onChange={({ target }) => setWords(target.value)} />
      )}
      <TextField
        label={t("Address")}
        placeholder={t("example.org, or a title")}
        inputMode="url"
        autoCapitalize="off"
        autoComplete="off"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={suggestions.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={suggestions[chosen] ? `${id}-${chosen}` : undefined}
        ref={field}
        value={address}
        error={error ?? empty}
        onKeyDown={onKeyDown}
        onChange={({ target }) => {
          setAddress(target.value);
          setAsked(false);
          setChosen(-1);
        }}
      />
      <div role="listbox" id={`${id}-list`} aria-label={t("Places to link to")} className="page-link-places">
        {suggestions.map((suggestion, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field
          <div
            key={suggestion.id}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === chosen}
            aria-label={nameOf(suggestion)}
            className={classes("page-link-place", at === chosen && "page-link-place--chosen")}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(suggestion)}
          >
            <suggestion.icon aria-hidden="true" size={15} />
            <span>{suggestion.label}</span>
          </div>
        ))}
      </div>
      <div className="page-link-buttons">
        <Button size="small" variant="ghost" onClick={onDone}>
          {t("Cancel")}
        </Button>
        <Button size="small" variant="primary" type="submit">
          {t("Apply")}
        </Button>
      </div>
    </form>
  );
}

function nameOf({ label, kind }: Suggestion): string {
  return kind === "heading" ? t("{label}, heading", { label }) : t("{label}, document", { label });
}

/** Headings of this document and documents by their title; none for what is an address already. */
function useSuggestions(editor: Editor, documentId: string, query: string): readonly Suggestion[] {
  const isAddress = query.trim() !== "" && problemOf(query) === null && !query.trim().startsWith("#");
  const documents = useDocuments(isAddress ? null : query.trim(), documentId);
  return useMemo(() => {
    if (isAddress) return [];
    const headings = headingsFor(editor, query, MOST).map(({ at, text }): Suggestion => {
      const address = () => addressOfHeading(editor, at);
      return { id: `heading-${at}`, label: text, kind: "heading", icon: Hash, address };
    });
    return [...headings, ...documents];
  }, [editor, query, isAddress, documents]);
}

const NO_DOCUMENTS: readonly Suggestion[] = [];

function useDocuments(query: string | null, documentId: string): readonly Suggestion[] {
  const api = useApi();
  const [found, setFound] = useState(NO_DOCUMENTS);
  useEffect(() => {
    if (query === null || query.includes(":")) {
      setFound(NO_DOCUMENTS);
      return;
    }
    const gone = new AbortController();
    const search = async () => {
      try {
        const { documents } = await api.listDocuments({ query, limit: MOST + 1, signal: gone.signal });
        const others = documents.filter(({ id }) => id !== documentId).slice(0, MOST);
        setFound(
          others.map(({ id, title }) => ({
            id,
            label: shownTitle(title),
            kind: "document",
            icon: FileText,
            address: () => `/d/${id}`,
          })),
        );
      } catch {
        // Offline, or not signed in: headings and addresses are left.
        if (!gone.signal.aborted) setFound(NO_DOCUMENTS);
      }
    };
    const timer = setTimeout(() => void search(), PAUSE);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [api, query, documentId]);
  return found;
}

function insertLink(editor: Editor, text: string, href: string): void {
  const link = { type: "text", text, marks: [{ type: "link", attrs: { href } }] };
  editor.chain().insertContent(link).unsetMark("link").run();
}
