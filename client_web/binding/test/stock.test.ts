/** The benchmark's build with y-tiptap: it has every name that the page takes from this package. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as stock from "../bench/stock.js";

const PAGE = new URL("../../editor/src/", import.meta.url);
const IMPORTS = /import \{([^}]*)\} from "@manyhands\/binding"/g;

test("the page can be built with y-tiptap in place of this package", () => {
  const wanted = new Set<string>();
  for (const name of readdirSync(PAGE, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name)) continue;
    for (const [, names = ""] of readFileSync(new URL(name, PAGE), "utf8").matchAll(IMPORTS)) {
      for (const each of names.split(",").map((part) => part.trim())) {
        if (each !== "" && !each.startsWith("type ")) wanted.add(each);
      }
    }
  }
  expect(wanted.size).toBeGreaterThan(5);
  expect([...wanted].filter((name) => !(name in stock))).toEqual([]);
});
