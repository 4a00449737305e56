/** A thread that is about to be begun: what was selected stays marked while somebody writes. */

import { annotate, isObject } from "@manyhands/binding";
import type { Provider } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import type { Node, ResolvedPos } from "@tiptap/pm/model";
import { useCallback, useEffect, useRef, useState } from "react";
import type * as wire from "../../api/wire";
import { draftIn, type Span, setDraft, type Draft as Words } from "../../extensions/comment_marks";
import { t } from "../../i18n/t";
import { useToasts } from "../../ui/Toast";
import type { Deeds } from "./deeds";
import type { Discussion } from "./discussion";
import { type Quote, quoteOf } from "./quotes";
import type { Author, Body } from "./threads";
import { type DiscussionSwitch, noteKept } from "./useDiscussion";

export interface DraftOptions {
  readonly editor: Editor;
  readonly discussion: Discussion;
  readonly provider: Provider;
  readonly deeds: Deeds;
  readonly author: Author | null;
  readonly open: DiscussionSwitch;
  readonly activate: (id: string | null) => void;
}

export interface Draft {
  readonly isOpen: boolean;
  readonly send: (body: Body, assignee: wire.User | null) => void;
  readonly cancel: () => void;
}

export function useDraft({
  editor,
  discussion,
  provider,
  deeds,
  author,
  open,
  activate,
}: DraftOptions): Draft {
  const [isOpen, setOpen] = useState(false);
  const toasts = useToasts();
  /** The words as they were at first: somebody may delete them meanwhile. */
  const begunOn = useRef<Quote | null>(null);
  const latest = useRef({ toasts, deeds, author });
  latest.current = { toasts, deeds, author };

  useEffect(() => {
    if (open.asked === open.answered.current) return;
    open.answered.current = open.asked;
    const why = refusalOf(latest.current);
    const [first, ...rest] = why === null ? wordsAt(editor) : [];
    if (first === undefined) {
      latest.current.toasts.show({
        message: why ?? t("First select the words or the picture that your comment is about."),
        isOfRights: why !== null,
      });
      return;
    }
    begunOn.current = quoteOf(editor.state.doc, first, ...rest);
    setDraft(editor.view, [first, ...rest]);
    setOpen(true);
  }, [open.asked, open.answered, editor]);

  const close = useCallback(() => {
    setOpen(false);
    if (!editor.isDestroyed) setDraft(editor.view);
  }, [editor]);

  const send = useCallback(
    (body: Body, assignee: wire.User | null) => {
      const [first, ...rest] = draftIn(editor.state).filter(({ from, to }) => from < to);
      const { author: by } = latest.current;
      if (!by) return;
      const thread = crypto.randomUUID();
      const mark = editor.schema.mark("comment", { id: thread, user: by.user_id });
      const quote = first ? quoteOf(editor.state.doc, first, ...rest) : begunOn.current;
      for (const span of first ? [first, ...rest] : []) {
        annotate(editor.state, { ...span, mark, doc: provider.doc });
      }
      if (!first) {
        latest.current.toasts.show({
          message: t(
            "The words are not in the text any more. The comment stands in the list of all comments.",
          ),
        });
      }
      noteKept(provider.documentId);
      void discussion.act(
        {
          kind: "begin",
          thread,
          begun: {
            ...quote,
            comment: { id: crypto.randomUUID(), body },
            ...(assignee ? { assignee: assignee.id } : {}),
          },
        },
        by,
      );
      close();
      activate(thread);
      editor.commands.focus(undefined, { scrollIntoView: false });
    },
    [editor, discussion, provider, close, activate],
  );
  const cancel = useCallback(() => {
    close();
    editor.commands.focus(undefined, { scrollIntoView: false });
  }, [editor, close]);
  return { isOpen, send, cancel };
}

/** Why no comment can be begun here; null if one can. */
function refusalOf({
  deeds,
  author,
}: {
  readonly deeds: Deeds;
  readonly author: Author | null;
}): string | null {
  if (!deeds.rights.mayWrite) return t("You can read this document, and not comment on it.");
  if (author === null) return t("The server has not said yet who you are. Try again in a moment.");
  return null;
}

/** What is selected, cell by cell in a table; without a selection, the word at the cursor. */
export function wordsAt({ state: { doc, selection } }: Editor): Words {
  if (selection.empty) return wordAround(selection.$head);
  return selection.ranges
    .flatMap(({ $from, $to }) => wordsWithin(doc, { from: $from.pos, to: $to.pos }))
    .sort((one, other) => one.from - other.from);
}

/** Without blanks at the ends; nothing where there are neither words nor objects. */
function wordsWithin(doc: Node, { from, to }: Span): Words {
  const isNothing = (one: number, other: number) => {
    const leaf = (node: Node) => (isObject(node) ? "\ufffc" : "");
    return doc.textBetween(one, other, "\n", leaf).trim() === "";
  };
  while (from < to && isNothing(from, from + 1)) from += 1;
  while (from < to && isNothing(to - 1, to)) to -= 1;
  return from < to ? [{ from, to }] : [];
}

function wordAround({ parent, parentOffset, pos }: ResolvedPos): Words {
  if (!parent.isTextblock) return [];
  const text = parent.textBetween(0, parent.content.size, " ", " ");
  const before = /[\p{L}\p{N}_'’-]*$/u.exec(text.slice(0, parentOffset))?.[0].length ?? 0;
  const behind = /^[\p{L}\p{N}_'’-]*/u.exec(text.slice(parentOffset))?.[0].length ?? 0;
  return before + behind > 0 ? [{ from: pos - before, to: pos + behind }] : [];
}
