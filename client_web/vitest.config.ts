import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["binding", "provider", "schema", "editor"],
    maxWorkers: "100%", // of the cores: Vitest leaves one of them idle, which is half of two
  },
});
