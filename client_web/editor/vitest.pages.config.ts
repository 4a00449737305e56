import { defineConfig } from "vitest/config";
import editor from "./vitest.config";

/** The stories of whole pages. A page has timers and a store, so that each file gets a browser of its own. */
export default defineConfig({
  ...editor,
  test: { ...editor.test, name: "pages", include: ["test/**/*.test.tsx"], isolate: true },
});
