/** Builds the editor's pages with y-tiptap in place of this package, into `build/stock-pages`. */
import { fileURLToPath } from "node:url";
import { mergeConfig } from "vite";
import editor from "../../editor/vite.config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default mergeConfig(
  { ...editor, resolve: { ...editor.resolve, alias: [] } },
  {
    root: here("../../editor"),
    resolve: {
      alias: {
        "@manyhands/binding": here("stock.ts"),
        "@manyhands/provider": here("../../provider/src/index.ts"),
      },
    },
    build: { outDir: here("../../../build/stock-pages"), emptyOutDir: true },
  },
);
