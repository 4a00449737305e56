// Stock clients of y-websocket, driven line by line: one JSON command per line in, one JSON answer per line out.

import { createInterface } from "node:readline";
import * as Y14 from "@y/y";
import * as four from "@y/websocket";
import WebSocket from "ws";
import { WebsocketProvider as One } from "y-websocket-1";
import { WebsocketProvider as Two } from "y-websocket-2";
import { WebsocketProvider as Three } from "y-websocket-3";
import * as Y from "yjs";

const VERSIONS = { 1: [One, Y], 2: [Two, Y], 3: [Three, Y], 4: [four.WebsocketProvider, Y14] };
const people = new Map();

// Version 1 asks for a browser's address.
globalThis.location ??= { protocol: "http:", host: "localhost" };

const commands = {
  open({ as, version, url, room, ...options }) {
    const [Provider, library] = VERSIONS[version];
    const doc = people.get(as)?.doc ?? new library.Doc();
    const closes = [];
    const echoes = [];
    // Versions before 4 have no count of what is unconfirmed, so the echo of an update is counted here.
    class Socket extends WebSocket {
      constructor(...given) {
        super(...given);
        this.addEventListener("close", (event) => closes.push([event.code, event.reason]));
        this.addEventListener("message", (event) => {
          const bytes = new Uint8Array(event.data);
          if (bytes[0] === 0 && bytes[1] === 2) echoes.push(bytes.length);
        });
      }
    }
    const provider = new Provider(url, room, doc, { WebSocketPolyfill: Socket, disableBc: true, ...options });
    people.set(as, { doc, provider, closes, echoes });
  },
  type({ as, words, at }) {
    const text = people.get(as).doc.getText("story");
    text.insert(at ?? text.length, words);
  },
  show({ as, state }) {
    people.get(as).provider.awareness.setLocalState(state);
  },
  send({ as, bytes }) {
    people.get(as).provider.ws.send(Uint8Array.from(bytes));
  },
  close({ as }) {
    people.get(as).provider.disconnect();
  },
  connect({ as }) {
    people.get(as).provider.connect();
  },
  look({ as }) {
    const { doc, provider, closes, echoes } = people.get(as);
    const text = doc.getText("story").toString();
    return {
      text: text.length < 2 ** 20 ? text : "much",
      length: text.length,
      synced: provider.synced,
      connected: provider.wsconnected,
      own: doc.clientID,
      clocks: Object.fromEntries([...provider.awareness.meta].map(([id, { clock }]) => [id, clock])),
      states: Object.fromEntries(provider.awareness.getStates()),
      closes,
      echoes: echoes.length,
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: commands[what](given) ?? null };
  } catch (error) {
    answer = { error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
