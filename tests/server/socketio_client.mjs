// Two people with npm's socket.io-client and Yjs; prints what they saw as one line of JSON. Run it in client_web.
// Arguments: the server's URL, the document's id, the transports separated by commas.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { io } = require("socket.io-client");
const Y = require("yjs");

const [url, documentId, transports] = process.argv.slice(2);

function batchOf(updates) {
  const parts = [];
  for (const update of updates) {
    let length = update.length;
    const head = [];
    for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
    parts.push(Buffer.from([...head, length]), Buffer.from(update));
  }
  return Buffer.concat(parts);
}

function updatesOf(batch) {
  const updates = [];
  for (let at = 0; at < batch.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    updates.push(batch.subarray(at, at + length));
    at += length;
  }
  return updates;
}

async function person(name) {
  const socket = io(url, { transports: transports.split(","), auth: { guest: { name }, protocol: 1 }, forceNew: true });
  const doc = new Y.Doc();
  const presences = [];
  const waiting = new Set();
  const turn = () => { for (const look of [...waiting]) look(); };
  socket.on("update", (_, __, batch) => {
    for (const update of updatesOf(new Uint8Array(batch))) Y.applyUpdate(doc, update);
    turn();
  });
  socket.on("presence", (_, changes) => { presences.push(...changes); turn(); });
  socket.io.engine?.on("upgrade", turn);
  await new Promise((connected, refused) => socket.on("connect", connected).on("connect_error", refused));
  const ask = (event, ...values) => socket.timeout(10_000).emitWithAck(event, documentId, ...values);
  const until = (condition) =>
    new Promise((done) => {
      const look = () => { if (condition()) { waiting.delete(look); done(); } };
      waiting.add(look);
      look();
    });
  const answer = await ask("join", { state_vector: Buffer.from(Y.encodeStateVector(doc)), client_id: doc.clientID });
  Y.applyUpdate(doc, new Uint8Array(answer.missing));
  return { socket, doc, text: doc.getText("story"), ask, until, presences, answer };
}

function change(someone, words) {
  const before = Y.encodeStateVector(someone.doc);
  someone.text.insert(someone.text.length, words);
  return Y.encodeStateAsUpdate(someone.doc, before);
}

const alice = await person("Alice");
const bob = await person("Bob");
if (transports === "polling,websocket") await alice.until(() => alice.socket.io.engine.transport.name === "websocket");

// More than fits into sixteen packets, without waiting for acks: what a browser does when it comes back online.
const acks = await Promise.all(
  Array.from({ length: 40 }, (_, i) => alice.ask("update", batchOf([change(alice, `${i} `)]))),
);
await bob.until(() => bob.text.toString() === alice.text.toString());

const part = batchOf([change(bob, "a long end".repeat(100))]);
const first = await bob.ask("upload", { offset: 0, total: part.length }, part.subarray(0, 500));
const last = await bob.ask("upload", { offset: 500, total: part.length }, part.subarray(500));
await alice.until(() => bob.text.toString() === alice.text.toString());

await alice.ask("presence", { state: { cursor: 5 } });
await bob.until(() => bob.presences.some((change) => change.state?.cursor === 5));
const refusal = await bob.ask("update", "text");
const unknown = await bob.ask("fly");

console.log(JSON.stringify({
  transport: alice.socket.io.engine.transport.name,
  role: alice.answer.role,
  seqs: acks.map((ack) => ack.seq),
  first, last, refusal, unknown,
  text: bob.text.toString(),
  name: bob.presences.find((change) => change.state?.cursor === 5).user.name,
}));
alice.socket.disconnect();
bob.socket.disconnect();
