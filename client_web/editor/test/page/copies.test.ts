/** Copies that leave the page as files. */

import { FRAGMENT } from "@manyhands/schema";
import { afterEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { copyOf } from "../../src/page/copies";

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
