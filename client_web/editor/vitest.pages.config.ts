import { defineConfig } from "vitest/config";
import editor from "./vitest.config";

/** The stories of whole pages: each leaves the browser as it was. */
export default defineConfig({
  ...editor,
  test: {
    ...editor.test,
    name: "pages",
    include: ["test/**/*.test.tsx"],
    setupFiles: ["test/patience.ts", "test/leaving.ts"],
  },
});
