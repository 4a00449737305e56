/** Blocks that hold blocks: callouts, and collapsibles, whose open state no document holds. */

import { mergeAttributes, Node } from "@tiptap/core";
import {
  Details as TiptapDetails,
  DetailsContent as TiptapDetailsContent,
  DetailsSummary as TiptapDetailsSummary,
} from "@tiptap/extension-details";
import { Fragment, type Node as PmNode } from "@tiptap/pm/model";
import { TextSelection } from "@tiptap/pm/state";

/** What a callout says about its words. Others are kept, and shown as the first one. */
export const CALLOUTS = ["info", "tip", "warning"] as const;

export type CalloutKind = (typeof CALLOUTS)[number];

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    callout: {
      /** Puts the selected blocks into a callout, or changes the kind of the callout around them. */
      setCallout: (kind: CalloutKind) => ReturnType;
      /** Takes the selected blocks out of the callout around them. */
      unsetCallout: () => ReturnType;
    };
  }
}

export interface CalloutOptions {
  /** What a screen reader says before the words of a callout. */
  readonly labels: Readonly<Record<CalloutKind, string>>;
}

export const Callout = Node.create<CalloutOptions>({
  name: "callout",
  group: "block",
  content: "block+",
  defining: true,
  addOptions() {
    return { labels: { info: "Note", tip: "Tip", warning: "Warning" } };
  },
  addAttributes() {
    const { labels } = this.options;
    return {
      kind: {
        default: "info",
        parseHTML: (element) => calloutKind(element.getAttribute("data-kind")),
        renderHTML: ({ kind }) => {
          const known = calloutKind(kind);
          return { "data-kind": known, role: "note", "aria-label": labels[known] };
        },
      },
    };
  },
  parseHTML() {
    return [{ tag: 'div[data-type="callout"]' }];
  },
  renderHTML({ HTMLAttributes }) {
    return ["div", mergeAttributes({ "data-type": "callout" }, HTMLAttributes), 0];
  },
  addCommands() {
    return {
      setCallout:
        (kind) =>
        ({ commands, editor }) =>
          editor.isActive(this.name)
            ? commands.updateAttributes(this.name, { kind })
            : commands.wrapIn(this.name, { kind }),
      unsetCallout:
        () =>
        ({ commands }) =>
          commands.lift(this.name),
    };
  },
});

/** Returns the kind of a callout as this release knows it. */
export function calloutKind(kind: unknown): CalloutKind {
  return CALLOUTS.find((known) => known === kind) ?? "info";
}

/** Two people who change one collapsible at once may leave two summaries in it: none of them is lost. */
export const Details = TiptapDetails.extend({
  content: "detailsSummary+ detailsContent+",
  addCommands() {
    return {
      ...this.parent?.(),
      unsetDetails:
        () =>
        ({ state: { selection, schema }, tr, dispatch }) => {
          const { $from } = selection;
          let { depth } = $from;
          while (depth > 0 && $from.node(depth).type !== this.type) depth -= 1;
          const { paragraph } = schema.nodes;
          if (depth === 0 || !paragraph) return false;
          const blocks: PmNode[] = [];
          $from.node(depth).forEach((part) => {
            if (part.isTextblock) blocks.push(paragraph.create(null, part.content));
            else blocks.push(...part.children);
          });
          if (!dispatch) return true;
          const at = $from.before(depth);
          tr.replaceWith(at, $from.after(depth), Fragment.from(blocks));
          tr.setSelection(TextSelection.near(tr.doc.resolve(at + 1 + $from.parentOffset)));
          return true;
        },
    };
  },
});

/** What a paragraph may hold, a summary may, since one becomes the other. */
export const DetailsSummary = TiptapDetailsSummary.extend({ content: "inline*" });

/** Enter on an empty line would cut it in two. */
export const DetailsContent = TiptapDetailsContent.extend({ isolating: true });

export const containers = [Callout, Details, DetailsSummary, DetailsContent] as const;
