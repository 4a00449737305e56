/** The field in which a comment is written: words, few formats, people behind “@”. Ctrl+Enter sends it. */

import { Link as LinkOfSchema, Mention } from "@manyhands/schema";
import { Editor, Extension, type JSONContent } from "@tiptap/core";
import { Placeholder } from "@tiptap/extensions";
import StarterKit from "@tiptap/starter-kit";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type * as wire from "../../api/wire";
import { CaretMenuStore, CaretMenus, type Choice } from "../../extensions/caret_menus";
import { t } from "../../i18n/t";
import { keys } from "../../page/keys";
import { Button } from "../../ui/Button";
import { CaretMenu } from "../inserting/CaretMenu";
import { type Body, mentionsOf, wordsOf } from "./threads";
import { forgetUnsent, keepUnsent, unsentOf } from "./unsent";

export type FindPeople = (name: string, signal: AbortSignal) => Promise<readonly Choice[]>;

export interface ComposerProps {
  readonly label: string;
  /** The name under which the words are kept until they are sent or cancelled (unsent.ts). */
  readonly keptAs: string;
  readonly placeholder: string;
  readonly sendLabel: string;
  readonly findPeople: FindPeople;
  readonly initial?: Body;
  readonly isFocused?: boolean;
  /** The person to whom the thread could be assigned with this comment gets a box to tick. */
  readonly mayAssign?: boolean;
  readonly onSend: (body: Body, assignee: wire.User | null) => void;
  readonly onCancel: () => void;
  readonly onWriting?: (isWriting: boolean) => void;
}

/** Bounds of the server: characters and lines. */
export const LONGEST_BODY = 10_000;
export const MOST_LINES = 200;

export function Composer(props: ComposerProps) {
  const { label, keptAs, placeholder, sendLabel, isFocused = true, mayAssign = false } = props;
  const [initial] = useState(() => unsentOf(keptAs) ?? props.initial);
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [store] = useState(() => new CaretMenuStore());
  const [editor, setEditor] = useState<Editor | null>(null);
  const [body, setBody] = useState<Body>(initial ?? []);
  const [isAssigning, setAssigning] = useState(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the field is made once, and asks for the newest callbacks
  useEffect(() => {
    if (!place.current) return;
    const made = new Editor({
      element: place.current,
      injectCSS: false,
      extensions: extensionsOf(placeholder, store, (name, signal) => latest.current.findPeople(name, signal)),
      content: initial ? { type: "doc", content: JSON.parse(JSON.stringify(initial)) } : null,
      editorProps: {
        attributes: {
          role: "textbox",
          "aria-multiline": "true",
          "aria-label": label,
          class: "composer-text",
        },
      },
      onUpdate: ({ editor: changed }) => {
        setBody(bodyOf(changed));
        keepUnsent(keptAs, bodyOf(changed));
      },
      onFocus: () => latest.current.onWriting?.(true),
      onBlur: () => latest.current.onWriting?.(false),
    });
    setEditor(made);
    if (isFocused) {
      made.commands.setTextSelection(made.state.doc.content.size);
      // At once: Tiptap's own command waits for a frame, and letters would be lost.
      made.view.focus();
    }
    return () => {
      latest.current.onWriting?.(false);
      made.destroy();
    };
  }, []);

  const isEmpty = wordsOf(body).trim() === "";
  const isTooLong = wordsOf(body).length > LONGEST_BODY;
  const hasTooMany = body.length > MOST_LINES;
  const assignee = mayAssign ? firstMentioned(body) : null;
  const send = () => {
    if (isEmpty || isTooLong || hasTooMany) return;
    forgetUnsent(keptAs);
    latest.current.onSend(trimmed(body), isAssigning ? assignee : null);
  };
  const cancel = () => {
    forgetUnsent(keptAs);
    latest.current.onCancel();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      send();
    } else if (event.key === "Escape" && store.shown() === null) {
      event.preventDefault();
      event.stopPropagation();
      // The words are kept: Escape is pressed easily.
      latest.current.onCancel();
    }
  };
  return (
    <div className="composer" onKeyDownCapture={onKeyDown}>
      <div ref={place} className="composer-field" dir="auto" />
      {editor && <CaretMenu editor={editor} store={store} />}
      {isTooLong && (
        <p className="composer-note" role="alert">
          {t("A comment has {most, number} characters at most.", { most: LONGEST_BODY })}
        </p>
      )}
      {hasTooMany && (
        <p className="composer-note" role="alert">
          {t("A comment has {most, number} lines at most.", { most: MOST_LINES })}
        </p>
      )}
      {assignee && (
        <label className="composer-assign">
          <input
            type="checkbox"
            checked={isAssigning}
            onChange={(event) => setAssigning(event.currentTarget.checked)}
          />
          {t("Assign to {name}", { name: assignee.name })}
        </label>
      )}
      <div className="composer-buttons">
        <Button size="small" variant="ghost" onClick={cancel}>
          {t("Cancel")}
        </Button>
        <Button
          size="small"
          variant="primary"
          disabled={isEmpty || isTooLong || hasTooMany}
          title={keys("Mod+Enter")}
          onClick={send}
        >
          {sendLabel}
        </Button>
      </div>
    </div>
  );
}

function extensionsOf(placeholder: string, store: CaretMenuStore, findPeople: FindPeople) {
  return [
    StarterKit.configure({
      blockquote: false,
      bulletList: false,
      codeBlock: false,
      dropcursor: false,
      gapcursor: false,
      hardBreak: false,
      heading: false,
      horizontalRule: false,
      link: false,
      listItem: false,
      listKeymap: false,
      orderedList: false,
      strike: false,
      trailingNode: false,
      underline: false,
    }),
    LinkOfSchema,
    Mention,
    Placeholder.configure({ placeholder }),
    CaretMenus.configure({
      store,
      sources: [
        {
          sign: "@",
          label: t("People"),
          allowSpaces: true,
          leastQuery: 0,
          choices: () => [],
          laterChoices: findPeople,
        },
      ],
    }),
    Extension.create({
      name: "lines",
      addKeyboardShortcuts: () => ({ "Shift-Enter": ({ editor }) => editor.commands.splitBlock() }),
    }),
  ];
}

/** The body as the server takes it: no attributes but those that it names. */
function bodyOf(editor: Editor): Body {
  const { content: lines = [] }: JSONContent = editor.getJSON();
  return lines.map(({ content = [] }) => ({
    type: "paragraph",
    content: content.flatMap((node): readonly (wire.Words | wire.Mention)[] => {
      if (node.type === "mention") {
        const { id, label } = node.attrs ?? {};
        return [{ type: "mention", attrs: { id: String(id), label: String(label) } }];
      }
      if (node.type !== "text" || !node.text) return [];
      const marks = (node.marks ?? []).flatMap(markOf);
      return [{ type: "text", text: node.text, ...(marks.length > 0 ? { marks } : {}) }];
    }),
  }));
}

type MarkOf = NonNullable<wire.Words["marks"]>[number];

function markOf({
  type,
  attrs,
}: {
  readonly type: string;
  readonly attrs?: Record<string, unknown>;
}): MarkOf[] {
  if (type === "link") return [{ type: "link", attrs: { href: String(attrs?.href) } }];
  return type === "bold" || type === "italic" || type === "code" ? [{ type }] : [];
}

/** Without empty lines at the ends. */
function trimmed(body: Body): Body {
  const isFull = ({ content = [] }: wire.Paragraph) => content.length > 0;
  return body.slice(body.findIndex(isFull), body.findLastIndex(isFull) + 1);
}

function firstMentioned(body: Body): wire.User | null {
  const [id] = mentionsOf(body);
  const mention = body
    .flatMap(({ content = [] }) => content)
    .find((piece) => piece.type === "mention" && piece.attrs.id === id);
  return id !== undefined && mention?.type === "mention"
    ? { id, name: mention.attrs.label ?? id, color: "#808080" }
    : null;
}

/** A button that looks like an empty field, and becomes one. */
export function ComposerToCome({
  children,
  onOpen,
}: {
  readonly children: ReactNode;
  readonly onOpen: () => void;
}) {
  return (
    <button type="button" className="composer-to-come" onClick={onOpen}>
      {children}
    </button>
  );
}
