/** How much code of the provider's own a page loads: what its bundler makes of it, without the packages that it builds on. */

import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";

const PACKAGES = /^(lib0|socket\.io-client|socket\.io-parser|y-indexeddb|y-protocols|yjs)(\/|$)/;
const TSCONFIG = `${import.meta.dirname}/../tsconfig.build.json`;
const PROVIDER = `${import.meta.dirname}/../src/index.ts`;

/** The gzipped bytes that a page with this code loads: with the page, and by themselves afterwards, by the file's name. */
async function sizesOf(
  code: string,
): Promise<{ readonly atOnce: number; readonly later: Readonly<Record<string, number>> }> {
  const page = {
    name: "page",
    resolveId: (id: string) => (id === "page" ? "\0page" : null),
    load: (id: string) => (id === "\0page" ? code : null),
  };
  const options = { input: "page", external: PACKAGES, plugins: [page], tsconfig: TSCONFIG };
  const bundle = await rolldown({ ...options, preserveEntrySignatures: "allow-extension" });
  const { output } = await bundle.generate({ format: "es", minify: true });
  const chunks = output.filter((file) => file.type === "chunk");
  const late = chunks.filter(({ isDynamicEntry }) => isDynamicEntry);
  const size = (files: typeof chunks) =>
    files.reduce((sum, file) => sum + gzipSync(file.code, { level: 9 }).length, 0);
  const later = Object.fromEntries(late.map((chunk) => [chunk.name, size([chunk])]));
  return { atOnce: size(chunks) - size(late), later };
}

it("is at most 20 kB gzipped, and the rarer code comes by itself", async () => {
  const { atOnce, later } = await sizesOf(`export { ManyhandsProvider } from ${JSON.stringify(PROVIDER)};`);
  expect(atOnce).toBeLessThanOrEqual(20_000);
  const { offline = 0, anew = 0 } = later;
  expect([offline, anew].every((size) => size > 0)).toBe(true);
  expect(offline).toBeLessThanOrEqual(5_000);
  expect(anew).toBeLessThanOrEqual(2_300);
});

it("comes at once for a page that brings the code for the copy along", async () => {
  const names = "{ ManyhandsProvider, keepOnDevice }";
  const { later } = await sizesOf(`export ${names} from ${JSON.stringify(PROVIDER)};`);
  expect(Object.keys(later)).toEqual(["anew"]);
});
