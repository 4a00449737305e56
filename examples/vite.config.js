import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const here = import.meta.dirname;
const pages = readdirSync(here).filter((name) => name.endsWith(".html"));

export default defineConfig({
  resolve: {
    // In a project of yours: npm install @manyhands/provider. Here it is the one of this repository,
    alias: { "@manyhands/provider": `${here}/../client_web/provider/dist/index.js` },
    // over the Yjs that the editors here have: a document has to come from one copy of it.
    dedupe: ["y-protocols", "yjs"],
  },
  build: { rolldownOptions: { input: pages }, target: "esnext", chunkSizeWarningLimit: 5_000 },
});
