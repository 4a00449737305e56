import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      "binding",
      "provider",
      "provider/vitest.lowest.config.ts",
      "schema",
      "editor",
      "editor/vitest.pages.config.ts",
    ],
    maxWorkers: "100%", // of the cores: Vitest leaves one of them idle, which is half of two
  },
});
