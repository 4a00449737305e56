// A page without an editor: the browser's provider, which answers words of a Python program. Run it in client_web.
// Arguments: the server's URL, the document's id. Prints what it holds at the end, as one line of JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const load = (...path) => import(pathToFileURL(join(process.cwd(), ...path)).href);
const Y = await load("node_modules", "yjs", "dist", "yjs.mjs"); // the one that the provider imports
const { ManyhandsProvider } = await load("provider", "dist", "index.js");

const { name, version } = JSON.parse(readFileSync(join("..", "crdt", "content", "format.json")));

const [url, documentId] = process.argv.slice(2);
const doc = new Y.Doc();
const provider = new ManyhandsProvider({
  documentId,
  url,
  doc,
  offline: false,
  user: { name: "Bo", color: "#00695c" },
  format: { name, version },
});
provider.awareness.setLocalStateField("cursor", 7);
const fragment = doc.getXmlFragment("default");

function until(condition, subscribe) {
  return new Promise((resolve) => {
    const look = () => condition() && resolve();
    subscribe(look);
    look();
  });
}

await until(
  () => fragment.toString().includes("from Python"),
  (look) => doc.on("update", look),
);
const paragraph = new Y.XmlElement("paragraph");
paragraph.insert(0, [new Y.XmlText("from the browser")]);
fragment.push([paragraph]);
await until(() => provider.snapshot().unsaved === 0, provider.subscribe);
await until(
  () => fragment.toString().includes("goodbye"),
  (look) => doc.on("update", look),
);
console.log(JSON.stringify({ text: fragment.toString(), refusal: provider.snapshot().refusal }));
await provider.destroy();
