// Hocuspocus as its documentation shows it, with the options that a comparison asks for.
// node hocuspocus.mjs PORT [--flush-delay MS] [--sqlite FILE] [--redis PORT]
import { parseArgs } from "node:util";
import { Redis } from "@hocuspocus/extension-redis";
import { SQLite } from "@hocuspocus/extension-sqlite";
import { Server } from "@hocuspocus/server";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "flush-delay": { type: "string" }, sqlite: { type: "string" }, redis: { type: "string" } },
});
const extensions = [];
if (values.redis !== undefined) {
  extensions.push(new Redis({ host: "127.0.0.1", port: Number(values.redis) }));
}
if (values.sqlite !== undefined) {
  extensions.push(new SQLite({ database: values.sqlite }));
}
const options = values["flush-delay"] === undefined ? {} : { flushDelay: Number(values["flush-delay"]) };
const server = new Server({ ...options, address: "127.0.0.1", port: Number(positionals[0]), quiet: true, extensions });
server.listen();
