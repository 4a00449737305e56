import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { name: "provider", include: ["test/**/*.test.ts"], environment: "node", testTimeout: 30_000 },
});
