/** Builds the editor's pages with y-tiptap in place of this package, into `build/stock-pages`. */
import { fileURLToPath } from "node:url";
import editor, { alias } from "../../editor/vite.config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default {
  ...editor,
  root: here("../../editor"),
  resolve: {
    ...editor.resolve,
    // The first that fits is taken.
    alias: [{ find: "@manyhands/binding", replacement: here("stock.ts") }, ...alias],
  },
  build: { ...editor.build, outDir: here("../../../build/stock-pages"), emptyOutDir: true },
};
