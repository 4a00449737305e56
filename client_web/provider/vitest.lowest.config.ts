import { defineConfig } from "vitest/config";

/** The same stories over the oldest packages that the provider says to work with. */
export default defineConfig({
  resolve: {
    alias: [{ find: /^(yjs|y-protocols|lib0)(?=\/|$)/, replacement: "$1-lowest" }],
  },
  test: {
    name: "provider-lowest",
    include: ["test/{changes,presence,provider,sync,taken}.test.ts"],
    environment: "node",
    isolate: false,
    server: { deps: { inline: [/\/node_modules\/(yjs|y-protocols|y-indexeddb|lib0)/] } },
    testTimeout: 300_000, // what no busy machine exceeds
    hookTimeout: 300_000,
  },
});
