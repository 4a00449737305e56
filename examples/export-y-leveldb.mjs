// Writes each document of a y-leveldb into a file, from which `manyhands import` takes it.
//
// Run this in the folder of the y-websocket server, whose own packages read the database, while the server is stopped:
//
//     node export-y-leveldb.mjs <database> <directory for the files>

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [database, directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write(
    "Name the database and a directory: node export-y-leveldb.mjs <database> <directory>\n",
  );
  process.exit(2);
}
if (!existsSync(join(database, "CURRENT"))) {
  process.stderr.write(`There is no LevelDB in ${database}.\n`);
  process.exit(2);
}
const require = createRequire(join(process.cwd(), "package.json"));
const Y = require("yjs");
const { LeveldbPersistence } = require("y-leveldb");

await mkdir(directory, { recursive: true });
const persistence = new LeveldbPersistence(database);
const names = await persistence.getAllDocNames();
for (const name of names) {
  const doc = await persistence.getYDoc(name);
  await writeFile(join(directory, `${name.replaceAll("/", "%2F")}.bin`), Y.encodeStateAsUpdate(doc));
  doc.destroy();
}
await persistence.destroy();
process.stdout.write(`${names.length} documents are in ${directory}.\n`);
