/** Builds the application and its service worker; serves both in development. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** Where `npm run dev` finds a running Manyhands server. */
const SERVER = "http://127.0.0.1:8000";

/** Addresses that the server answers itself: never the application, never from a cache. They are compared with path and query. */
const SERVER_PATHS = [
  /^\/api\//,
  /^\/socket\.io\//,
  /^\/health$/,
  /^\/ready$/,
  /^\/metrics$/,
  /^\/sign-(in|out)([/?]|$)/,
  /^\/unsubscribe\//,
];

/** Files that hold the words of one language; only those in use are kept. */
const WORDS = /\/assets\/[^/]*(words|emoji)-[a-z]+-[^/]*\.js$/;
const WORDS_SCRIPT = "service-worker-words.js";

const serviceWorker = VitePWA({
  filename: "service-worker.js",
  strategies: "generateSW",
  registerType: "prompt", // a new version waits until somebody says "Reload"
  injectRegister: false, // src/service-worker/register.ts does it; an inline script would break the CSP
  manifest: false, // public/manifest.webmanifest
  workbox: {
    globPatterns: ["**/*.{html,js,css,svg,webmanifest}"],
    globIgnores: ["assets/{words,emoji}-*", WORDS_SCRIPT],
    importScripts: [WORDS_SCRIPT],
    navigateFallback: "/index.html",
    navigateFallbackDenylist: SERVER_PATHS,
    clientsClaim: true, // the first visit can be reloaded offline already
    inlineWorkboxRuntime: true,
    runtimeCaching: [
      {
        // src/service-worker/words.js puts in what is in use before a new version serves, and takes out what is not.
        urlPattern: WORDS,
        handler: "CacheFirst",
        options: { cacheName: "words" },
      },
      {
        // Fonts of formulas: only for those who have seen one.
        urlPattern: /\/assets\/KaTeX_[^/]+\.woff2$/,
        handler: "CacheFirst",
        options: { cacheName: "fonts", expiration: { maxEntries: 40, purgeOnQuotaError: true } },
      },
      {
        // Attachments are named by their content: what was fetched once never changes.
        urlPattern: ({ url, sameOrigin }) =>
          sameOrigin && /^\/api\/documents\/[^/]+\/attachments\/[^/]+$/.test(url.pathname),
        handler: "CacheFirst",
        options: {
          cacheName: "attachments",
          // The server's own header: a network's sign-in page would be kept as a picture otherwise.
          cacheableResponse: {
            statuses: [200],
            headers: { "Content-Security-Policy": "default-src 'none'; sandbox" },
          },
          expiration: { maxEntries: 300, maxAgeSeconds: 90 * 24 * 3600, purgeOnQuotaError: true },
        },
      },
    ],
  },
});

/** Names files for public/early.js: the editor's for a document's page, and each language's catalogue. */
const earlyFiles: Plugin = {
  name: "early-files",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (html, { bundle = {} }) => {
      const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
      const page = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith("/src/page/EditorPage.tsx"));
      if (!page) throw new Error("The build has no chunk for the editor's page");
      const all = [page];
      for (const each of all)
        all.push(...chunks.filter((chunk) => each.imports.includes(chunk.fileName) && !all.includes(chunk)));
      const styles = all.flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]);
      const names = [...styles, ...all.map(({ fileName }) => fileName)]
        .map((name) => `/${name}`)
        .filter((name) => !html.includes(name));
      const catalogues = chunks.flatMap(({ facadeModuleId, fileName }) => {
        const language = /\/src\/i18n\/(\w+)\.json$/.exec(facadeModuleId ?? "")?.[1];
        return language ? [`${language}=/${fileName}`] : [];
      });
      return html.replace(
        'src="/early.js"',
        `src="/early.js" data-catalogues="${catalogues.join(" ")}" data-editor="${names.join(" ")}"`,
      );
    },
  },
};

/** The styles that a page's shape needs before any other file has come. */
const EARLY_STYLES = ["src/ui/tokens.css", "src/ui/base.css", "src/app/early.css"];

/** Lets the page's shape be painted first: its styles stand in the page, and public/theme.js puts in the others behind them.
 *
 * A style sheet that the head names would hold up the first paint, and so would code that shares a slow line with it.
 */
const firstPaint: Plugin = {
  name: "first-paint",
  transformIndexHtml: {
    order: "post",
    handler: (html) => {
      const styles = EARLY_STYLES.map((file) => readFileSync(join(import.meta.dirname, file), "utf8"));
      const plain = styles
        .join("")
        .replaceAll(/\/\*.*?\*\//gs, "")
        .replaceAll(/\s+/g, " ");
      const sheets = [...html.matchAll(/ *<link rel="stylesheet"[^>]*href="([^"]+)"[^>]*>\n/g)];
      return sheets
        .reduce((page, [sheet]) => page.replace(sheet, ""), html)
        .replaceAll('<link rel="modulepreload"', '<link rel="modulepreload" fetchpriority="low"')
        .replace(
          'src="/theme.js"',
          `src="/theme.js" data-styles="${sheets.map(([, href]) => href).join(" ")}"`,
        )
        .replace("</head>", `  <style>${plain}</style>\n  </head>`);
    },
  },
};

/** Names files of words by their languages, and names these files for the service worker. */
const wordsByLanguage: Plugin = {
  name: "words-by-language",
  apply: "build",
  generateBundle(_options, bundle) {
    const names = Object.keys(bundle).filter((name) => WORDS.test(`/${name}`));
    const script = readFileSync(join(import.meta.dirname, "src/service-worker/words.js"), "utf8");
    const source = `self.NAMES = ${JSON.stringify(names)};\n${script}`;
    this.emitFile({ type: "asset", fileName: WORDS_SCRIPT, source });
  },
};

type Graph = { readonly getModuleInfo: (id: string) => ModuleInfo | null };
type ModuleInfo = {
  readonly importedIds: readonly string[];
  readonly dynamicallyImportedIds: readonly string[];
};

/** Everything that a module needs, and with `later` also what its parts load when they are used. */
function needed(begin: string, graph: Graph, later = false): ReadonlySet<string> {
  const found = new Set([begin]);
  for (const id of found) {
    const info = graph.getModuleInfo(id);
    for (const each of [...(info?.importedIds ?? []), ...(later ? (info?.dynamicallyImportedIds ?? []) : [])])
      found.add(each);
  }
  return found;
}

/** Libraries that only the document page imports; they change seldom, so that browsers keep them long. */
const WRITING = /node_modules[\\/](@tiptap|prosemirror-[a-z-]+|yjs|y-[a-z-]+|lib0)[\\/]/;

/** Puts what a document's page needs at first into two files: what the list of documents needs, too, and the rest.
 *
 * Left to itself, the bundler makes some sixty files of it. Each is packed by itself, and costs a turn of the network.
 * What the list may need later is in the first file only if it needs nothing of the editor.
 */
function filesOfFirstVisit(): (id: string, graph: Graph) => string | null {
  const sets: Record<string, ReadonlySet<string>> = {};
  return (id, graph) => {
    const set = (path: string, later = false) => {
      sets[`${path} ${later}`] ??= needed(join(import.meta.dirname, "src", path), graph, later);
      return sets[`${path} ${later}`] as ReadonlySet<string>;
    };
    if (!set("page/EditorPage.tsx").has(id)) return null;
    const isBase = set("main.tsx").has(id) || set("documents/DocumentsPage.tsx").has(id);
    const isPlain = () => ![...needed(id, graph)].some((each) => WRITING.test(each));
    return isBase || (set("documents/DocumentsPage.tsx", true).has(id) && isPlain()) ? "base" : "page";
  };
}

function chunkName({ facadeModuleId }: { readonly facadeModuleId?: string | null }): string {
  const path = facadeModuleId ?? "";
  const language = /\/src\/i18n\/(\w+)\.json$/.exec(path)?.[1];
  if (language) return `assets/words-${language}-[hash].js`;
  const emoji = /\/emojibase-data\/(\w+)\//.exec(path)?.[1] ?? (/\/emojilib\//.test(path) ? "en" : undefined);
  return emoji ? `assets/emoji-${emoji}-[hash].js` : "assets/[name]-[hash].js";
}

/** A table of emoji has much that nobody looks for: colours of skin, numbers, orders. */
const onlyEmojiWords: Plugin = {
  name: "only-emoji-words",
  apply: "build",
  enforce: "pre",
  transform: (code, id) => {
    if (!/\/emojibase-data\/\w+\/compact\.json$/.test(id)) return null;
    const all: readonly Readonly<Record<string, unknown>>[] = JSON.parse(code);
    return JSON.stringify(all.map(({ unicode, label, tags }) => ({ unicode, label, tags })));
  },
};

/** Puts each file in the build a second and a third time, packed as browsers take it: the server packs nothing. */
const packedFiles: Plugin = {
  name: "packed-files",
  apply: "build",
  closeBundle: {
    order: "post", // behind the service worker
    sequential: true,
    handler: async () => {
      const out = join(import.meta.dirname, "dist");
      const names = readdirSync(out, { recursive: true, encoding: "utf8" });
      const wordy = names.filter((name) => /\.(css|html|js|json|svg|webmanifest)$/.test(name));
      const ways = { br: promisify(brotliCompress), gz: promisify(gzip) };
      const packs = wordy.flatMap((name) =>
        Object.entries(ways).map(async ([suffix, pack]) => {
          const body = readFileSync(join(out, name));
          const packed = await pack(body);
          if (packed.length < body.length) writeFileSync(join(out, `${name}.${suffix}`), packed);
        }),
      );
      await Promise.all(packs);
    },
  },
};

/** KaTeX names each font in three formats; all browsers that can run the page read the first. */
const onlyModernFonts = {
  name: "only-modern-fonts",
  enforce: "pre" as const,
  transform: (code: string, id: string) =>
    /katex.*\.css/.test(id) ? code.replace(/,url\([^)]*\.(woff|ttf)\) format\("\w+"\)/g, "") : null,
};

/** Also for the tests. */
export const alias = [
  ...["binding", "provider", "schema"].map((name) => ({
    find: `@manyhands/${name}`,
    replacement: join(import.meta.dirname, `../${name}/src/index.ts`),
  })),
  {
    find: "@formatjs/icu-skeleton-parser",
    replacement: join(import.meta.dirname, "src/i18n/no_skeletons.ts"),
  },
  { find: /^linkifyjs$/, replacement: join(import.meta.dirname, "src/extensions/finding_addresses.ts") },
];

export default defineConfig({
  plugins: [
    onlyModernFonts,
    onlyEmojiWords,
    react(),
    earlyFiles,
    firstPaint,
    wordsByLanguage,
    serviceWorker,
    packedFiles,
  ],
  resolve: {
    alias,
    dedupe: ["yjs", "y-protocols", "lib0"], // two copies of Yjs do not know each other's types
  },
  build: {
    outDir: "dist",
    // light-dark() and nesting are left as they are.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The server's content security policy lets no font in that stands in a style sheet.
    assetsInlineLimit: (path) => (path.endsWith(".woff2") ? false : undefined),
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        chunkFileNames: chunkName,
        codeSplitting: {
          groups: [
            {
              name: "react",
              // What is not named here goes with the first group that needs it, and the list would load all of it.
              test: /node_modules[\\/](react|react-dom|scheduler|wouter|regexparam|@floating-ui)[\\/]|vite[\\/]preload-helper/,
            },
            { name: "writing", test: WRITING },
            { name: filesOfFirstVisit() },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": SERVER,
      "/sign-in": SERVER,
      "/socket.io": { target: SERVER, ws: true },
    },
  },
});
