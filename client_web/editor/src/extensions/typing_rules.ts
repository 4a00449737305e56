/** What becomes of signs while somebody types: Markdown's links and lists, and quotes and dashes as printers set them.
 *
 * Quotes and dashes can be switched off. In code nothing is changed.
 */

import { hrefFromInput } from "@manyhands/schema";
import { Extension, InputRule, wrappingInputRule } from "@tiptap/core";
import { Typography, type TypographyOptions } from "@tiptap/extension-typography";

const LINK = /(?<!!)\[([^[\]\n]+)\]\(([^()\s]+)\)$/;

export const MarkdownRules = Extension.create({
  name: "markdownRules",
  addInputRules() {
    const { nodes, marks } = this.editor.schema;
    const [orderedList, link] = [nodes.orderedList, marks.link];
    if (!orderedList || !link) return [];
    return [
      new InputRule({
        find: LINK,
        handler: ({ state: { tr, schema }, range, match: [, words = "", address = ""] }) => {
          const href = hrefFromInput(address);
          if (href === null) return null;
          tr.replaceWith(range.from, range.to, schema.text(words, [link.create({ href })]));
          tr.removeStoredMark(link);
          return undefined;
        },
      }),
      wrappingInputRule({
        find: /^(\d{1,9})\)\s$/,
        type: orderedList,
        getAttributes: ([, number]) => ({ start: Number(number) }),
        joinPredicate: ([, number], before) =>
          before.childCount + Number(before.attrs.start) === Number(number),
      }),
    ];
  },
});

/** Opening and closing quotes, double and single. */
const ENGLISH = ["“", "”", "‘", "’"] as const;
const GERMAN = ["„", "“", "‚", "’"] as const;

/** What the library would change as well. Arrows, fractions and the like are left as they are typed. */
const OTHER_SIGNS = {
  leftArrow: false,
  rightArrow: false,
  copyright: false,
  trademark: false,
  servicemark: false,
  registeredTrademark: false,
  oneHalf: false,
  plusMinus: false,
  notEqual: false,
  laquo: false,
  raquo: false,
  multiplication: false,
  superscriptTwo: false,
  superscriptThree: false,
  oneQuarter: false,
  threeQuarters: false,
} as const;

export interface SmartTypingOptions extends TypographyOptions {
  /** Asked at each sign. */
  readonly isOn: () => boolean;
}

export const SmartTyping = Typography.extend<SmartTypingOptions>({
  addOptions() {
    const [openDoubleQuote, closeDoubleQuote, openSingleQuote, closeSingleQuote] = /^de\b/.test(
      navigator.language,
    )
      ? GERMAN
      : ENGLISH;
    return {
      ...OTHER_SIGNS,
      emDash: "—",
      ellipsis: "…",
      openDoubleQuote,
      closeDoubleQuote,
      openSingleQuote,
      closeSingleQuote,
      isOn: () => true,
    };
  },
  addInputRules() {
    const { isOn } = this.options;
    return (this.parent?.() ?? []).map((rule) => {
      const { find, handler } = rule;
      return new InputRule({
        find: (text) => {
          if (!isOn() || !(find instanceof RegExp)) return null;
          const match = find.exec(text);
          if (!match) return null;
          const [whole, sign] = match;
          return { index: match.index, text: whole, ...(sign === undefined ? {} : { replaceWith: sign }) };
        },
        handler,
      });
    });
  },
});
