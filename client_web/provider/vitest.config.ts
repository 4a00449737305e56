import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "provider",
    include: ["test/**/*.test.ts"],
    environment: "node",
    isolate: false,
    testTimeout: 300_000, // what no busy machine exceeds
    hookTimeout: 300_000,
  },
});
