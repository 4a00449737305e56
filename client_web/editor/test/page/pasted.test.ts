/**
 * What other programs put on the clipboard keeps its structure, and what cannot be kept is said.
 */

import { FRAGMENT } from "@manyhands/schema";
import type { JSONContent } from "@tiptap/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { attachment, Paster } from "./clipboard";
import { contentOf } from "./editors";

let alice: Paster;

beforeEach(() => {
  alice = new Paster();
});

afterEach(() => alice.editor.destroy());

function wordItem(level: number, words: string, mark: string, list = "l0"): string {
  return (
    `<p class=MsoListParagraph style='margin-left:${level * 36}.0pt;text-indent:-18.0pt;mso-list:${list} level${level} lfo1'>` +
    `<![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>${mark}` +
    `<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>${words}<o:p></o:p></p>`
  );
}

describe("lists", () => {
  test("of Word are bulleted, nested and numbered", async () => {
    const items =
      wordItem(1, "bread", "·") +
      wordItem(2, "rye", "o") +
      wordItem(2, "wheat", "o") +
      wordItem(1, "milk", "·");
    const steps =
      wordItem(1, "open", "3.", "l1") + wordItem(2, "softly", "a)", "l1") + wordItem(1, "close", "4.", "l1");
    expect(await alice.pastes({ html: `${items}<p class=MsoNormal>Then:</p>${steps}` })).toBe(
      "<ul><li><p>bread</p><ul><li><p>rye</p></li><li><p>wheat</p></li></ul></li><li><p>milk</p></li></ul>" +
        '<p>Then:</p><ol start="3"><li><p>open</p><ol><li><p>softly</p></li></ol></li><li><p>close</p></li></ol>',
    );
  });

  test("of Word for the web, where each item is a list", async () => {
    const item = (level: number, words: string) =>
      `<div class="ListContainerWrapper SCXW1"><ul role="list"><li data-aria-level="${level}"><p>${words}</p></li></ul></div>`;
    expect(await alice.pastes({ html: item(1, "a") + item(2, "b") + item(1, "c") })).toBe(
      "<ul><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul>",
    );
  });

  test("of Google Docs and LibreOffice, where a nested list stands beside its item", async () => {
    const html =
      "<b style='font-weight:normal'><ul><li><p>a</p></li><ul><li><p>b</p></li></ul><li><p>c</p></li></ul></b>";
    expect(await alice.pastes({ html })).toBe(
      "<ul><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul>",
    );
  });

  test.each([
    [
      "GitHub",
      '<ul class="contains-task-list"><li class="task-list-item"><input type="checkbox" checked> a</li><li class="task-list-item"><input type="checkbox"> b</li></ul>',
    ],
    [
      "Google Docs",
      '<ul><li role="checkbox" aria-checked="true"><img src="data:image/png;base64,AAAA" alt="checked"><p>a</p></li><li role="checkbox" aria-checked="false"><img src="data:image/png;base64,AAAA"><p>b</p></li></ul>',
    ],
    ["Word", wordItem(1, "a", "☒") + wordItem(1, "b", "☐")],
  ])("of %s with boxes to tick are tasks", async (_program, html) => {
    await alice.pastes({ html });
    const [list] = alice.editor.getJSON().content as readonly JSONContent[];
    expect(list?.type).toBe("taskList");
    expect(contentOf(list).map((item) => item.attrs?.checked)).toEqual([true, false]);
    expect(alice.editor.getText().match(/\S+/g)).toEqual(["a", "b"]);
    expect(alice.stored).toEqual([]);
  });

  test("with a box at some items only have the boxes in their words", async () => {
    const html = '<ul><li><input type="checkbox" checked>a</li><li>b</li></ul>';
    expect(await alice.pastes({ html })).toBe("<ul><li><p>☑ a</p></li><li><p>b</p></li></ul>");
  });
});

test("headings that Word numbers are headings, with their numbers", async () => {
  const html =
    "<h1 style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>2.<span>&nbsp; </span></span>Aim</h1>";
  expect((await alice.pastes({ html })).replaceAll("&nbsp;", " ")).toMatch(/^<h1>.*2\. .*Aim.*<\/h1>$/);
});

test("tables keep their cells, also when a spreadsheet leaves the table itself out", async () => {
  const cells = "<tr><td>1</td><td><br></td></tr><tr><td colspan=2>2</td></tr>";
  const before = await alice.pastes({ html: `<table>${cells}</table>` });
  expect(before).toContain("<td><p>1</p></td><td><p></p></td>");
  expect(before).toContain('<td colspan="2"><p>2</p></td>');
  const bob = new Paster();
  expect(await bob.pastes({ html: `<meta charset="utf-8">${cells}` })).toBe(before);
  bob.editor.destroy();
});

describe("blank lines", () => {
  test("of plain text stay, and so do its line ends", async () => {
    const text = "first line\r\nsecond line\n\nnew paragraph\n\n\nafter two\n";
    await alice.pastes({ text });
    expect(alice.editor.getText({ blockSeparator: "\n" })).toBe(text.replace("\r", "").trimEnd());
  });

  test("a single line of plain text goes into the line with the cursor", async () => {
    alice.editor.commands.setContent("<p><b>ab</b></p>");
    alice.editor.commands.setTextSelection(2);
    expect(await alice.pastes({ text: "xy\n" })).toBe("<p><strong>axyb</strong></p>");
  });

  test.each([
    ["a mail", "<div>a</div><div><br></div><div>b</div>"],
    ["Google Docs", "<p>a</p><br><p>b</p>"],
    ["Word", "<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>"],
    ["a web page", "<p>a</p><p><br></p><p>b</p>"],
    ["a programmer's editor", "<div><div><span>a</span></div><br><div><span>b</span></div></div>"],
  ])("of %s stay", async (_program, html) => {
    expect(await alice.pastes({ html })).toBe("<p>a</p><p></p><p>b</p>");
  });
});

describe("colours", () => {
  test.each(["black", "windowtext", "#000", "rgb(32, 33, 36)", "#ffffff", "rgb(230, 237, 243)"])(
    "of plain ink on some paper are left out: %s",
    async (color) => {
      expect(await alice.pastes({ html: `<p><span style="color: ${color}">a</span></p>` })).toBe("<p>a</p>");
    },
  );

  test("that were chosen stay, and a bright background behind words is a marker", async () => {
    const kept = await alice.pastes({
      html: '<p><span style="color: #c0262d; background: #ffff00">a</span><span style="background-color: #1e1e1e">b</span></p>',
    });
    expect(kept).toContain("color: #c0262d");
    expect(kept).toContain('data-color="#ffff00"');
    expect(kept).not.toContain("1e1e1e");
  });
});

test("styles of words are what they mean, and fonts are those of the page", async () => {
  const html =
    '<p dir="ltr"><span style="font-size:11pt;font-family:Arial">a</span><span style="font-weight:700;font-style:italic">b</span>' +
    '<span style="text-decoration:line-through">c</span><font color="#c9211e">d</font>' +
    '<a href="https://a.example/"><span style="color:#1155cc;text-decoration:underline">e</span></a></p>';
  expect(await alice.pastes({ html })).toBe(
    "<p>a<strong><em>b</em></strong><s>c</s>" +
      '<span data-ink="" style="color: #c9211e; --ink: #c9211e;">d</span>' +
      '<a target="_blank" rel="noopener noreferrer nofollow" href="https://a.example/">e</a></p>',
  );
});

test("blanks are kept where a program says that they count", async () => {
  const html =
    '<p><span style="white-space:pre-wrap">a  b</span></p><div style="white-space:pre"><div><span>    </span><span>c</span></div></div>';
  expect(await alice.pastes({ html })).toBe("<p>a  b</p><p>    c</p>");
});

test("a direction that the words have by themselves is not stored, and another one is", async () => {
  const html = '<p dir="ltr">a</p><p dir="rtl">שלום</p><p dir="rtl">12 b</p>';
  expect(await alice.pastes({ html })).toBe('<p>a</p><p>שלום</p><p dir="rtl">12 b</p>');
});

const PNG = "data:image/png;base64,iVBORw0KGgo=";

function file(name: string, type: string): File {
  return new File([name], name, { type });
}

describe("pictures", () => {
  test("in words stand where they stood, in their order", async () => {
    const html = `<p>before <img src="${PNG}" alt="one"> behind</p><p><img src="${PNG}" alt="two"></p><p>end</p>`;
    expect(await alice.pastes({ html })).toBe(
      `<p>before</p><img src="${attachment("document-1", 1)}" alt="one"><p> behind</p>` +
        `<img src="${attachment("document-1", 2)}" alt="two"><p>end</p>`,
    );
    expect(alice.stored.map(({ name, type, size }) => [name, type, size])).toEqual([
      ["one", "image/png", 8],
      ["two", "image/png", 8],
    ]);
    expect(alice.said).toEqual([]);
  });

  test("never leave an address that leads nowhere in the shared document", async () => {
    const seen: string[] = [];
    alice.doc.on("update", () => seen.push(alice.doc.getXmlFragment(FRAGMENT).toString()));
    await alice.pastes({
      html: `<ul><li><img src="${PNG}"></li></ul><table><tr><td><img src="${PNG}"></td></tr></table>`,
    });
    expect(seen.join()).not.toContain("arriving");
    expect(seen.at(-1)).toContain("/attachments/");
    expect(alice.stored).toHaveLength(2);
  });

  test("in cells that are pasted into a table are in those cells", async () => {
    const table = (first: string) => `<table><tr><td>${first}</td><td>x</td></tr></table>`;
    alice.editor.commands.setContent(table("a"));
    alice.editor.commands.setTextSelection(5);
    const kept = await alice.pastes({ html: table(`new<img src="${PNG}">`) });
    expect(kept).toContain(`<td><p>new</p><img src="${attachment("document-1", 1)}"></td>`);
    expect(alice.doc.getXmlFragment(FRAGMENT).toString()).not.toContain("arriving");
  });

  test("that somebody writes above meanwhile come to where they belong", async () => {
    const arrived = alice.pastes({ html: `<p>a</p><img src="${PNG}"><p>b</p>` });
    const bob = new Y.Doc();
    Y.applyUpdate(bob, Y.encodeStateAsUpdate(alice.doc));
    const line = new Y.XmlElement("paragraph");
    line.insert(0, [new Y.XmlText("Bob's")]);
    bob.getXmlFragment(FRAGMENT).insert(0, [line]);
    Y.applyUpdate(alice.doc, Y.encodeStateAsUpdate(bob));
    expect((await arrived).replace(/<img[^>]*>/, "<img>")).toBe("<p>Bob's</p><p>a</p><img><p>b</p>");
  });

  test.each([
    ["as files", { files: [file("image.png", "image/png")] }],
    [
      "within RTF",
      { rtf: "{\\rtf1 {\\pict{\\*\\picprop}\\pngblip\\picw5 \n89504e470d0a1a0a89504e470d0a1a0a}}" },
    ],
  ])("of a word processor's own disk come %s beside the words", async (_way, beside) => {
    const html = '<p>before</p><p><img src="file:///C:/clip_image002.png" alt="chart"></p>';
    expect(await alice.pastes({ html, ...beside })).toBe(
      `<p>before</p><img src="${attachment("document-1", 1)}" alt="chart">`,
    );
    expect(alice.stored.map(({ type }) => type)).toEqual(["image/png"]);
  });

  test("that the clipboard does not have are counted", async () => {
    await alice.pastes({ html: '<p>a<img src="file:///C:/1.png"><img src="file:///C:/2.png"></p>' });
    expect(alice.said).toEqual([
      "2 pictures were left out: they are not on the clipboard. Copy each by itself.",
    ]);
  });

  test("of other servers become links, and one is told", async () => {
    const html =
      '<p>a <img src="https://pictures.example.org/p%20q.jpg"> <img src="https://a.example/x.png" alt="chart"></p>';
    const kept = await alice.pastes({ html });
    expect(kept).toContain('href="https://pictures.example.org/p%20q.jpg">p q.jpg</a>');
    expect(kept).toContain('href="https://a.example/x.png">chart</a>');
    expect(kept).not.toContain("<img");
    expect(alice.said).toEqual(["2 pictures or films on other servers were pasted as links."]);
  });

  test("of kinds that the server does not keep are refused by name", async () => {
    await alice.pastes({ html: '<p>a<img src="data:image/svg+xml;base64,PHN2Zz4=" alt="logo"></p>' });
    expect(alice.stored).toEqual([]);
    expect(alice.said).toEqual(["“logo” was not added. Only pictures can be: PNG, JPEG, GIF or WebP."]);
  });

  test("of one pixel, which count a mail's readers, are gone", async () => {
    expect(
      await alice.pastes({ html: '<p>a<img src="https://spy.example/" width="1" height="1"></p>' }),
    ).toBe("<p>a</p>");
    expect(alice.said).toEqual([]);
  });

  test("of the same document stay as they are", async () => {
    const html = `<p>a</p><img src="${location.origin}${attachment("document-1", 7)}" alt="x">`;
    expect(await alice.pastes({ html })).toBe(`<p>a</p><img src="${attachment("document-1", 7)}" alt="x">`);
    expect(alice.stored).toEqual([]);
  });

  test("that are copied in a browser come as the file, not as a link to where it was", async () => {
    const kept = await alice.pastes({
      html: '<img src="https://a.example/x.png">',
      files: [file("image.png", "image/png")],
    });
    expect(kept).toBe(`<img src="${attachment("document-1", 1)}"><p></p>`);
    expect(alice.said).toEqual([]);
  });
});

describe("files", () => {
  test("are put in in their order, below the line with the cursor", async () => {
    alice.editor.commands.setContent("<p>a</p><p>b</p>");
    alice.editor.commands.setTextSelection(2);
    const names = ["1", "2", "3"];
    const kept = await alice.pastes({ files: names.map((name) => file(`${name}.png`, "image/png")) });
    expect(kept.match(/\d"|<p>\w<\/p>/g)).toEqual(["<p>a</p>", '1"', '2"', '3"', "<p>b</p>"]);
    expect(alice.stored.map(({ name }) => name)).toEqual(["1.png", "2.png", "3.png"]);
  });

  test("that are refused by the server do not hold up the others", async () => {
    alice.refused.add("2.png");
    const names = ["1", "2", "3"];
    const kept = await alice.pastes({ files: names.map((name) => file(`${name}.png`, "image/png")) });
    expect(kept.match(/<img/g)).toHaveLength(2);
    expect(alice.stored.map(({ name }) => name)).toEqual(["1.png", "3.png"]);
    expect(alice.said).toEqual(["“2.png” was not added. It is too large."]);
  });

  test("that are no pictures are refused with a sentence", async () => {
    await alice.pastes({ files: [file("paper.pdf", "application/pdf"), file("flag.png", "image/png")] });
    expect(alice.said).toEqual(["“paper.pdf” was not added. Only pictures can be: PNG, JPEG, GIF or WebP."]);
    expect(alice.stored.map(({ name }) => name)).toEqual(["flag.png"]);
  });
});

test("films and drawings are said to be missing, and films of the web become links", async () => {
  const kept = await alice.pastes({
    html: '<p>a</p><video src="https://films.example/1" title="A film"></video><svg><circle></circle></svg><video src="blob:x"></video>',
  });
  expect(kept).toContain('href="https://films.example/1">A film</a>');
  expect(alice.said).toEqual([
    "A picture or film on another server was pasted as a link. 2 drawings or films were left out: they cannot be kept here.",
  ]);
});

describe("what is too deep or too large", () => {
  test("is made to fit where its levels are too many", async () => {
    const levels = 150;
    await alice.pastes({
      html: `${"<blockquote>".repeat(levels)}<p>deep</p>${"</blockquote>".repeat(levels)}`,
    });
    expect(alice.editor.getHTML().match(/<blockquote>/g)).toHaveLength(20);
    expect(alice.editor.getText()).toContain("deep");
    expect(alice.said).toEqual([]);
  });

  test("is made to fit where a cell spans too much", async () => {
    await alice.pastes({ html: "<table><tr><td colspan=100000 rowspan=9999999>a</td></tr></table>" });
    expect(alice.editor.getHTML()).toContain('colspan="64"');
  });

  test("is refused before it is in the document", async () => {
    alice.editor.commands.setContent("<p>before</p>");
    const state = Y.encodeStateVector(alice.doc);
    await alice.pastes({ text: "line\n".repeat(30_000) });
    expect(alice.editor.getHTML()).toBe("<p>before</p>");
    expect(Y.encodeStateVector(alice.doc)).toEqual(state);
    expect(alice.said).toEqual(["Not pasted: this is more than fits at once. Paste it in several pieces."]);
  });
});
