/** Runs the application's tests in a simulated browser. */
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      "@manyhands/binding": join(import.meta.dirname, "../binding/src/index.ts"),
      "@manyhands/provider": join(import.meta.dirname, "../provider/src/index.ts"),
      "@manyhands/schema": join(import.meta.dirname, "../schema/src/index.ts"),
    },
    dedupe: ["yjs", "y-protocols", "lib0"],
  },
  test: {
    name: "editor",
    environment: "happy-dom",
    css: { include: /\/tokens\.css/ }, // a test measures its contrasts; the other style sheets are left out
    include: ["test/**/*.test.{ts,tsx}"],
    setupFiles: ["test/patience.ts"],
    testTimeout: 300_000, // above test/patience.ts, and what no busy machine exceeds
    hookTimeout: 300_000,
  },
});
