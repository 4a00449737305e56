import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "schema",
    include: ["test/**/*.test.ts"],
    environment: "happy-dom",
    isolate: false,
    testTimeout: 300_000, // what no busy machine exceeds
    hookTimeout: 300_000,
  },
});
