/** Runs the application's tests in a simulated browser. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@manyhands/provider": new URL("../provider/src/index.ts", import.meta.url).pathname },
    dedupe: ["yjs", "y-protocols", "lib0"],
  },
  test: {
    name: "editor",
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
  },
});
