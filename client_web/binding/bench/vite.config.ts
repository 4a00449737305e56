/** Builds the editor's pages with y-tiptap in place of this package, into `build/stock-pages`. */
import { fileURLToPath } from "node:url";
import editor from "../../editor/vite.config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default {
  ...editor,
  root: here("../../editor"),
  resolve: {
    ...editor.resolve,
    alias: { ...editor.resolve?.alias, "@manyhands/binding": here("stock.ts") },
  },
  build: { ...editor.build, outDir: here("../../../build/stock-pages"), emptyOutDir: true },
};
