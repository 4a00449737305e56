/** Copies that leave the page as files. */

import { FRAGMENT } from "@manyhands/schema";
import { afterEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { copyOf, textCopyOf } from "../../src/page/copies";

const PICTURES = ["a", "b"].map((letter) => `/api/documents/abcdefgh/attachments/${letter.repeat(64)}`);

afterEach(() => vi.unstubAllGlobals());

function updateWithPictures(): Uint8Array {
  const doc = new Y.Doc();
  for (const src of PICTURES) {
    const image = new Y.XmlElement("image");
    image.setAttribute("src", src);
    doc.getXmlFragment(FRAGMENT).push([image]);
  }
  return Y.encodeStateAsUpdate(doc);
}

test.each([
  ["is refused", () => new Response("{}", { status: 404 })],
  ["is no picture", () => new Response("Sign in!", { headers: { "Content-Type": "text/html" } })],
  ["does not come", () => Promise.reject(new TypeError("Failed to fetch"))],
])(
  "a downloaded copy holds its pictures; one that %s keeps its address, and is counted",
  async (_, spoilt) => {
    vi.stubGlobal("fetch", async (address: string) =>
      address === PICTURES[0]
        ? new Response("bytes", { headers: { "Content-Type": "image/png" } })
        : spoilt(),
    );
    const { filename, content, lostPictures } = await copyOf(updateWithPictures(), "Plan");
    const page = new DOMParser().parseFromString(await content.text(), "text/html");
    const sources = Array.from(page.querySelectorAll("img"), (image) => image.getAttribute("src"));
    expect(filename).toBe("Plan.html");
    expect(sources).toEqual([`data:image/png;base64,${btoa("bytes")}`, `${location.origin}${PICTURES[1]}`]);
    expect(lostPictures).toBe(1);
  },
);

test("a copy holds suggestions, and nothing of what is said about the document", async () => {
  const doc = new Y.Doc();
  const [line, words, image] = [new Y.XmlElement("paragraph"), new Y.XmlText(), new Y.XmlElement("image")];
  const said = { id: "t1", user: "ann" };
  words.insert(0, "brave ", { "comment--AAAAAAAA": said });
  words.insert(6, "new", { "insertion--AAAAAAAA": { id: "s1", user: "ben", at: 1, run: 1, break: null } });
  line.insert(0, [words]);
  image.setAttribute("src", "/elsewhere.png");
  image.setAttribute("comment--AAAAAAAA", said as unknown as string);
  doc.getXmlFragment(FRAGMENT).push([line, image]);
  const { content } = await copyOf(Y.encodeStateAsUpdate(doc), "Plan");
  const page = await content.text();
  expect(page).toContain("brave ");
  expect(page).toMatch(/<ins[^>]*>new<\/ins>/);
  expect(page).not.toMatch(/t1|data-comment|data-annotations/);
  const text = await textCopyOf(Y.encodeStateAsUpdate(doc), "Plan").content.text();
  expect(text.split("\n")[0]).toBe("brave ");
});
