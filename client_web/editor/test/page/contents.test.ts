/** Documents as the server has to read them: tests/vectors/contents.json holds what the editor makes of each. */

import {
  isAllowedColor,
  isAllowedFont,
  isAllowedFontSize,
  isAllowedHref,
  isAllowedImage,
} from "@manyhands/schema";
import type { JSONContent } from "@tiptap/core";
import { Slice } from "@tiptap/pm/model";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { plainText } from "../../src/extensions/copying";
import { person } from "./editors";

const PICTURE = `/api/documents/abcdefgh/attachments/${"0".repeat(64)}`;

const DOCUMENTS: Readonly<Record<string, string>> = {
  empty: "",
  lines:
    '<h1>One</h1><h3 id="h-abcd" style="text-align: center">Three<br>lines</h3><p data-look="title">Title</p><p data-indent="2" style="line-height: 1.5" dir="rtl">in</p><p></p><p>a\tb  c</p>',
  marks:
    '<p>a <strong>b <em>c</em></strong><s>d</s><u>e</u><sub>f</sub><sup>g</sup><mark data-color="#ffee00">h</mark><code>i</code> <a href="https://a.example/?b=1&amp;c" title="t">j <strong>k</strong></a><span style="color: #ff0000; font-family: serif; font-size: 12pt">l</span></p>',
  comments:
    '<p>a <span data-comment="t1" data-by="ann">b <strong>c</strong></span> <span data-comment="t1" data-by="ann"><span data-comment="t2" data-by="über">d</span></span> <code>e<span data-comment="t3">f</span></code></p><pre><code>g<span data-comment="t4" data-by="ann">h</span></code></pre>',
  lists:
    "<ul><li><p>milk</p><ol start='7'><li><p>whole</p><p>more</p></li><li><p>skimmed</p><ol><li><p>a</p><ol><li><p>b</p></li></ol></li></ol></li></ol></li><li><p></p></li></ul><ol type='A'><li><p>z</p></li></ol>",
  tasks:
    '<ul data-type="taskList"><li data-type="taskItem" data-checked="true"><p>a</p><ul data-type="taskList"><li data-type="taskItem" data-checked="false"><p>b</p></li></ul></li></ul>',
  tables:
    '<table><tr><th><p>a</p></th><th><p>b</p><p>c\td</p></th></tr><tr><td colspan="2" colwidth="100,200" data-background="#eeeeee"><ul><li><p>x</p></li></ul></td></tr></table>',
  code: '<pre><code class="language-js">x\n\ty\n</code></pre><blockquote><p>q</p><hr></blockquote>',
  objects: `<img src="${PICTURE}" alt="A hill" width="300"><figure style="text-align: right"><img src="${PICTURE}"><figcaption>From afar</figcaption></figure><p>so <span data-type="inline-math" data-latex="a^2"></span></p><div data-type="block-math" data-latex="b\nc"></div><div data-type="pageBreak"></div>`,
  containers:
    '<div data-type="callout" data-kind="tip"><p>careful, <span data-type="mention" data-id="ben" data-label="Ben"></span></p></div><details><summary>more</summary><div data-type="detailsContent"><p>inner</p></div></details>',
};

const VALUES: Readonly<Record<string, readonly [(value: unknown) => boolean, readonly string[]]>> = {
  href: [
    isAllowedHref,
    [
      "https://a.example",
      "HTTP://a",
      "mailto:a@b.c",
      "/d/abc",
      "#h-abcd",
      "a b",
      "",
      " ",
      "javascript:alert(1)",
      "java\nscript:alert(1)",
      "\u0001javascript:alert(1)",
      " javascript:alert(1)",
      "data:text/html,x",
      "//a.example",
      "http://[",
      "é:x",
    ],
  ],
  color: [
    isAllowedColor,
    ["red", "#FFF", "rgb(1, 2, 3)", "hsla(1 2% 3% / 4)", "red; position: fixed", "url(x)", "red\n", ""],
  ],
  font: [isAllowedFont, ["Noto Sans, 'Ü'", "a;b", "a_b", "x".repeat(161), "³"]],
  fontSize: [isAllowedFontSize, ["12pt", "1.25em", "401pt", "0px", "12", "100%", "12pt;"]],
  picture: [
    isAllowedImage,
    [PICTURE, `${PICTURE}\n`, `https://a.example${PICTURE}`, "/api/documents/a/attachments/b"],
  ],
};

/** Leaves out that nobody suggests or says anything. */
function withoutEmpty({ attrs, content, ...node }: JSONContent): JSONContent {
  const { suggestion: _suggestion, proposals: _proposals, annotations: _annotations, ...rest } = attrs ?? {};
  const kept = Object.keys(rest).length > 0 ? { attrs: rest } : {};
  const { type, ...more } = node;
  return {
    type,
    ...kept,
    ...(content ? { content: content.map(withoutEmpty) } : {}),
    ...more,
  } as JSONContent;
}

it("the server is told what the editor reads, copies and shows", async () => {
  const documents = Object.entries(DOCUMENTS).map(([name, html]) => {
    const { editor, doc } = person(1);
    editor.commands.setContent(html);
    const { doc: content } = editor.state;
    const update = btoa(String.fromCharCode(...Y.encodeStateAsUpdate(doc)));
    const text = plainText(new Slice(content.content, 0, 0));
    const told = { name, update, content: withoutEmpty(editor.getJSON()), text };
    editor.destroy();
    return told;
  });
  const values = Object.entries(VALUES).map(([name, [isAllowed, all]]) => ({
    name,
    allowed: all.filter(isAllowed),
    refused: all.filter((value) => !isAllowed(value)),
  }));
  // Stale? Run `make describe`.
  await expect(`${JSON.stringify({ documents, values }, null, 1)}\n`).toMatchFileSnapshot(
    "../../../../tests/vectors/contents.json",
  );
});
