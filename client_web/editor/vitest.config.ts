/** Runs the application's tests in a simulated browser; those of whole pages are in vitest.pages.config.ts. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { alias } from "./vite.config";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias,
    dedupe: ["yjs", "y-protocols", "lib0"],
  },
  test: {
    name: "editor",
    environment: "happy-dom",
    css: { include: /\/tokens\.css/ }, // a test measures its contrasts; the other style sheets are left out
    include: ["test/**/*.test.ts"],
    isolate: false, // one load of Tiptap for all files; each leaves the browser as it was
    setupFiles: ["test/patience.ts"],
    testTimeout: 300_000, // above test/patience.ts, and what no busy machine exceeds
    hookTimeout: 300_000,
  },
});
