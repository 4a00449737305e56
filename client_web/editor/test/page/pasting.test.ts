/** What is pasted passes through the schema: no scripts, no styles but the known ones, no foreign images. */

import { FRAGMENT, hrefFromInput, isAllowedColor, isAllowedHref, isAllowedImage } from "@manyhands/schema";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type * as Y from "yjs";
import { isDrawable } from "../../src/extensions/carets";
import { element, type Person, person, words, written } from "./editors";

const OWN_IMAGE = `/api/documents/abcdefgh/attachments/${"0a".repeat(32)}`;

let alice: Person;
beforeEach(() => {
  alice = person(1);
});
afterEach(() => alice.editor.destroy());

function pasted(html: string): string {
  alice.editor.view.pasteHTML(html, new Event("paste") as ClipboardEvent);
  return alice.editor.getHTML();
}

describe("pasted HTML", () => {
  test.each([
    ["scripts", "<p>a<script>alert(1)</script></p>"],
    ["event attributes", '<p onclick="alert(1)">a</p>'],
    ["plug-ins", '<p>a</p><embed src="javascript:evil()"><object data="data:text/html,evil"></object>'],
    ["vector images", '<p>a</p><svg onload="alert(1)"><circle></circle></svg>'],
    ["positions", '<p style="position: fixed; top: 0">a</p>'],
    ["script links", '<p><a href="javascript:alert(1)">a</a></p>'],
    ["images from elsewhere", '<p>a</p><img src="https://evil.example/pixel.gif" width="1" height="1">'],
    ["colours with more CSS", '<p><mark data-color="red;position:fixed">a</mark></p>'],
  ])("loses %s", (_name, html) => {
    const kept = pasted(html);
    expect(kept).toContain("a");
    expect(kept).not.toMatch(/script|onclick|onload|svg|evil|fixed/i);
  });

  test("keeps structure and formatting", () => {
    const kept = pasted(
      '<h2>T</h2><ul><li><p>one <b>two</b></p></li></ul><p><a href="https://example.org">l</a></p>' +
        `<p><span style="color: #ff0000">red</span></p><img src="${OWN_IMAGE}" alt="x">`,
    );
    expect(kept).toContain("<h2>T</h2>");
    expect(kept).toContain("<strong>two</strong>");
    expect(kept).toContain('href="https://example.org"');
    expect(kept).toMatch(/style="color: (#ff0000|rgb\(255, 0, 0\))/);
    expect(kept).toContain(OWN_IMAGE);
  });
});

test.each([
  ["of its own", { target: "_top", rel: "opener", class: "dialog" }],
  ["that are empty", { target: "", rel: "" }],
  ["that are no text", { target: { toString: "_top" }, rel: 7 }],
])("a link is shown with our target and rel, whatever it is stored with: attributes %s", (_name, stored) => {
  const link = { href: "https://example.org/", ...stored };
  const doc = written((fragment) => fragment.insert(0, [element("paragraph", [words("a", { link })])]));
  const bob = person(2, doc);
  const shown = bob.editor.view.dom.querySelector("a");
  expect(shown?.getAttribute("href")).toBe("https://example.org/");
  expect(shown?.getAttribute("target")).toBe("_blank");
  expect(shown?.getAttribute("rel")).toBe("noopener noreferrer nofollow");
  expect(shown?.hasAttribute("class")).toBe(false);
  bob.editor.commands.insertContentAt(1, "b");
  expect(sharedMarks(doc)).toContainEqual(expect.objectContaining(link));
  bob.editor.destroy();
});

interface Stored {
  readonly attributes?: { readonly link?: unknown };
}

/** The links' attributes as they are stored. */
function sharedMarks(doc: Y.Doc): readonly unknown[] {
  const paragraph = doc.getXmlFragment(FRAGMENT).get(0) as Y.XmlElement;
  return (paragraph.get(0) as Y.XmlText).toDelta().map(({ attributes }: Stored) => attributes?.link);
}

test("hostile values that are in the document already are not rendered", () => {
  const text = words("a", {
    textStyle: { color: "red;position:fixed" },
    highlight: { color: "red;position:fixed" },
    link: { href: "java\nscript:alert(1)" },
  });
  const reader = person(
    2,
    written((f) =>
      f.insert(0, [
        element("paragraph", [text], { textAlign: "left;position:fixed" }),
        element("image", [], { src: "https://evil.example/pixel.gif", alt: "A cat" }),
      ]),
    ),
  );
  const html = reader.editor.view.dom.innerHTML;
  expect(html).not.toMatch(/fixed|script:|evil/);
  expect(html).toContain("A cat");
  reader.editor.destroy();
});

test.each([
  ["https://example.org/a?b#c", true],
  ["http://example.org", true],
  ["mailto:ann@example.org", true],
  ["/d/abcdefgh", true],
  ["#heading", true],
  ["", false],
  ["javascript:alert(1)", false],
  ["JaVaScRiPt:alert(1)", false],
  [" \u0001javascript:alert(1)", false],
  ["java\tscript:alert(1)", false],
  ["data:text/html,<script>", false],
  ["vbscript:x", false],
  ["file:///etc/passwd", false],
  ["blob:https://example.org/1", false],
  [7, false],
])("link to %j: %s", (href, allowed) => {
  expect(isAllowedHref(href)).toBe(allowed);
});

test.each([
  ["example.org", "https://example.org"],
  ["example.org/a b", "https://example.org/a b"],
  ["ann@example.org", "mailto:ann@example.org"],
  [" https://example.org ", "https://example.org"],
  ["/d/abcdefgh", "/d/abcdefgh"],
  ["localhost:8000", null],
  ["javascript:alert(1)", null],
])("typed as a link: %j means %j", (typed, href) => {
  expect(hrefFromInput(typed)).toBe(href);
});

test("colours and images are allow-listed", () => {
  for (const color of ["#fff", "#12ab9F", "red", "rgb(1, 2, 3)", "hsl(10 20% 30%)"]) {
    expect(isAllowedColor(color)).toBe(true);
  }
  for (const color of ["url(x)", "red;x:y", "var(--x)", "", null]) expect(isAllowedColor(color)).toBe(false);
  expect(isAllowedImage(OWN_IMAGE)).toBe(true);
  expect(isAllowedImage(`//evil.example${OWN_IMAGE}`)).toBe(false);
});

test.each([
  ["sound", { user: { name: "A", color: "#123456" }, cursor: at() }, true],
  ["no user", { cursor: at() }, false],
  ["a colour with CSS", { user: { name: "A", color: "red;x:y" }, cursor: at() }, false],
  ["an empty cursor", { user: { name: "A", color: "#123456" }, cursor: {} }, false],
  ["a cursor in another root", { user: { name: "A", color: "#123456" }, cursor: at("other") }, false],
  ["null", null, false],
])("a caret with %s is drawn: %s", (_name, state, drawn) => {
  expect(isDrawable(state)).toBe(drawn);
});

function at(tname: string | null = null) {
  const place = { type: tname ? null : { client: 1, clock: 2 }, tname, item: null, assoc: 0 };
  return { anchor: place, head: place };
}
