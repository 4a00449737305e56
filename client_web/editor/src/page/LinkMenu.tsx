/** Links: where the link at the cursor leads, and the form that makes or changes one. */

import { hrefFromInput, isAllowedHref } from "@manyhands/schema";
import { type Editor, getMarkRange } from "@tiptap/core";
import { ExternalLink, Pencil, Unlink } from "lucide-react";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { Button } from "../ui/Button";
import { IconButton } from "../ui/IconButton";
import { TextField } from "../ui/TextField";
import { Floating } from "./Floating";
import { useAtCursor } from "./useAtCursor";

export interface LinkMenuProps {
  readonly editor: Editor;
  readonly isEditing: boolean;
  readonly onEditingChange: (isEditing: boolean) => void;
}

export function LinkMenu({ editor, isEditing, onEditingChange }: LinkMenuProps) {
  const href = useAtCursor(editor, () => hrefAt(editor));
  const beside = useCallback(() => selectionRect(editor), [editor]);
  if (!isEditing && (!href || !editor.isFocused)) return null;
  const done = () => {
    onEditingChange(false);
    editor.commands.focus();
  };
  return (
    <Floating editor={editor} label="Link" beside={beside} side="below">
      {isEditing ? (
        <LinkForm editor={editor} href={href ?? ""} onDone={done} />
      ) : (
        <LinkCard editor={editor} href={href ?? ""} onEdit={() => onEditingChange(true)} />
      )}
    </Floating>
  );
}

interface LinkCardProps {
  readonly editor: Editor;
  readonly href: string;
  readonly onEdit: () => void;
}

function LinkCard({ editor, href, onEdit }: LinkCardProps) {
  return (
    <div className="page-link-card">
      {isAllowedHref(href) ? (
        <a href={href} target="_blank" rel="noopener noreferrer nofollow" className="page-link-address">
          <ExternalLink aria-hidden="true" size={15} />
          <span>{href.replace(/^(https?:\/\/|mailto:)/, "")}</span>
        </a>
      ) : (
        <span className="page-link-address">This address is not allowed</span>
      )}
      {editor.isEditable && (
        <>
          <IconButton icon={Pencil} iconSize={16} size="small" label="Edit the link" onClick={onEdit} />
          <IconButton
            icon={Unlink}
            iconSize={16}
            size="small"
            label="Remove the link"
            onClick={() => editor.chain().focus().unsetLink().run()}
          />
        </>
      )}
    </div>
  );
}

interface LinkFormProps {
  readonly editor: Editor;
  readonly href: string;
  readonly onDone: () => void;
}

function LinkForm({ editor, href, onDone }: LinkFormProps) {
  const [address, setAddress] = useState(href);
  const [words, setWords] = useState("");
  const [error, setError] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  // After the form has its place: autoFocus would scroll to where it is before that.
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const needsWords = editor.state.selection.empty && href === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const target = hrefFromInput(address);
    if (target === null) {
      setError("Links can lead to web pages (https, http), mail addresses and pages of this server.");
      return;
    }
    if (needsWords) insertLink(editor, words.trim() || address.trim(), target);
    else editor.chain().extendMarkRange("link").setLink({ href: target }).run();
    onDone();
  };
  return (
    <form
      className="page-link-form"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone();
      }}
    >
      {needsWords && (
        <TextField label="Text" value={words} onChange={({ target }) => setWords(target.value)} />
      )}
      <TextField
        label="Address"
        placeholder="example.org"
        inputMode="url"
        autoCapitalize="off"
        ref={field}
        value={address}
        error={error}
        onChange={({ target }) => {
          setAddress(target.value);
          setError(null);
        }}
      />
      <div className="page-link-buttons">
        <Button size="small" variant="ghost" onClick={onDone}>
          Cancel
        </Button>
        <Button size="small" variant="primary" type="submit">
          Apply
        </Button>
      </div>
    </form>
  );
}

function insertLink(editor: Editor, text: string, href: string): void {
  const link = { type: "text", text, marks: [{ type: "link", attrs: { href } }] };
  editor.chain().insertContent(link).unsetMark("link").run();
}

/** Returns where the link that the cursor is in leads, or null. */
function hrefAt({ state }: Editor): string | null {
  const { link } = state.schema.marks;
  const { $from, empty } = state.selection;
  if (
    !link ||
    !(empty ? getMarkRange($from, link) : state.doc.rangeHasMark($from.pos, state.selection.to, link))
  ) {
    return null;
  }
  const marks = [...($from.nodeAfter?.marks ?? []), ...$from.marks()];
  const href: unknown = marks.find(({ type }) => type === link)?.attrs.href;
  return typeof href === "string" ? href : null;
}

function selectionRect({ view, state, isDestroyed }: Editor): DOMRect | null {
  if (isDestroyed) return null;
  const start = view.coordsAtPos(state.selection.from);
  const end = view.coordsAtPos(state.selection.to, -1);
  const left = start.top === end.top ? start.left : Math.min(start.left, end.left);
  return new DOMRect(left, start.top, Math.max(0, end.left - left), end.bottom - start.top);
}
