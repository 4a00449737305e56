// Stock clients of other protocols, driven line by line: one JSON command per line in, one JSON answer per line out.
// A library is read when a client of it is first opened: all of them cost four times as much as one.

import { createInterface } from "node:readline";
import WebSocket from "ws";

const people = new Map();
const sockets = new Map();

// Version 1 of y-websocket asks for a browser's address.
globalThis.location ??= { protocol: "http:", host: "localhost" };

// A WebSocket that notes how it ends, and how often an update comes.
function noting({ closes, echoes }) {
  return class extends WebSocket {
    constructor(...given) {
      super(...given);
      // A provider may close a socket that is not open yet, and listens no more. A browser says nothing of that; Node would end.
      this.on("error", () => {});
      this.addEventListener("close", (event) => closes.push([event.code, event.reason]));
      this.addEventListener("message", (event) => {
        const bytes = new Uint8Array(event.data);
        if (bytes[0] === 0 && bytes[1] === 2) echoes.push(bytes.length);
      });
    }
  };
}

const yWebsocket = (library, { WebsocketProvider: Provider }) => ({
  library,
  open(person, { url, room, ...options }) {
    const provider = new Provider(`${url.replace("http", "ws")}/y`, room, person.doc, {
      WebSocketPolyfill: noting(person),
      disableBc: true,
      ...options,
    });
    return { provider, isConnected: () => provider.wsconnected, send: (bytes) => provider.ws.send(bytes) };
  },
});

const hocuspocus = (Y, library) => ({
  library: Y,
  open(person, { url, path = "/hocuspocus", room, socket, token, parameters, ...options }) {
    person.token = token;
    const shared = socket === undefined ? undefined : sockets.get(socket);
    const websocketProvider =
      shared ??
      new library.HocuspocusProviderWebsocket({
        url: `${url.replace("http", "ws")}${path}`,
        WebSocketPolyfill: noting(person),
        parameters,
        delay: 100,
        minDelay: 100,
      });
    if (socket !== undefined) sockets.set(socket, websocketProvider);
    const provider = new library.HocuspocusProvider({
      name: room,
      document: person.doc,
      websocketProvider,
      broadcast: false,
      token: token === undefined ? null : () => person.token,
      onAuthenticationFailed: ({ reason }) => person.denied.push(reason),
      onAuthenticated: () => person.scopes.push(provider.authorizedScope),
      onClose: ({ event }) => person.ends.push(event.reason),
      onStateless: ({ payload }) => person.heard.push(payload),
      ...options,
    });
    provider.attach?.();
    return {
      provider,
      isConnected: () => websocketProvider.status === "connected",
      close: () => websocketProvider.disconnect(),
      connect: () => websocketProvider.connect(),
      send: (bytes) => websocketProvider.webSocket.send(bytes),
    };
  },
});

const ySocketIo = (Y, { SocketIOProvider }) => ({
  library: Y,
  open(person, { url, room, auth, ...options }) {
    const provider = new SocketIOProvider(url, room, person.doc, { auth, disableBc: true }, options);
    provider.on("connection-close", (reason) => person.closes.push(reason));
    provider.on("connection-error", (error) => person.denied.push(error.message));
    provider.socket.on("closed", (closed) => person.ends.push(closed));
    provider.socket.on("sync-update", (update) => person.echoes.push(update.byteLength));
    return {
      provider,
      isConnected: () => provider.socket.connected,
      send: ([event, bytes]) => provider.socket.emit(event, Uint8Array.from(bytes)),
    };
  },
});

// The protocol, Yjs, and the client's library.
const PROTOCOLS = {
  1: [yWebsocket, "yjs", "y-websocket-1"],
  2: [yWebsocket, "yjs", "y-websocket-2"],
  3: [yWebsocket, "yjs", "y-websocket-3"],
  4: [yWebsocket, "@y/y", "@y/websocket"],
  "hocuspocus-2": [hocuspocus, "yjs", "hocuspocus-2"],
  "hocuspocus-3": [hocuspocus, "yjs", "hocuspocus-3"],
  "hocuspocus-4": [hocuspocus, "yjs", "hocuspocus-4"],
  "y-socket.io": [ySocketIo, "yjs", "y-socket.io"],
};

const commands = {
  async open({ as, version, root = "story", ...given }) {
    const [protocol, ...names] = PROTOCOLS[version];
    const { library, open } = protocol(...(await Promise.all(names.map((name) => import(name)))));
    const doc = people.get(as)?.doc ?? new library.Doc();
    // What came: closed connections, echoes of updates, refusals, what the server let it do, documents that were ended.
    const person = { doc, library, text: doc.getText(root), closes: [], echoes: [], denied: [], scopes: [], ends: [], heard: [] };
    people.set(as, Object.assign(person, open(person, given)));
  },
  // Somebody's copy without any connection; returns its state.
  async begin({ as, words, root = "story" }) {
    const library = people.get(as)?.library ?? (await import("yjs"));
    const doc = people.get(as)?.doc ?? new library.Doc();
    const text = doc.getText(root);
    text.insert(text.length, words);
    people.set(as, { doc, library, text });
    return Buffer.from(library.encodeStateAsUpdate(doc)).toString("base64");
  },
  type({ as, words, at }) {
    const { text } = people.get(as);
    text.insert(at ?? text.length, words);
  },
  // Words at a place between the beginning (0) and the end (1), or, without words, one character less there.
  scribble({ as, words, place }) {
    const { text } = people.get(as);
    const at = Math.floor(place * text.length);
    if (words) text.insert(at, words);
    else if (at < text.length) text.delete(at, 1);
  },
  // What an editor has written, as an update.
  apply({ as, update }) {
    const { doc, library } = people.get(as);
    library.applyUpdate(doc, Buffer.from(update, "base64"));
  },
  state({ as }) {
    const { doc, library } = people.get(as);
    return Buffer.from(library.encodeStateAsUpdate(doc)).toString("base64");
  },
  show({ as, state }) {
    people.get(as).provider.awareness.setLocalState(state);
  },
  send({ as, bytes }) {
    people.get(as).send(Array.isArray(bytes[1]) ? bytes : Uint8Array.from(bytes));
  },
  say({ as, words }) {
    people.get(as).provider.sendStateless(words);
  },
  token({ as, token }) {
    people.get(as).token = token;
  },
  refresh({ as }) {
    people.get(as).provider.sendToken();
  },
  // As an application that asks for another token when one is refused: the token comes behind the state vector.
  retry({ as }) {
    const { provider } = people.get(as);
    provider.sendToken();
    provider.startSync();
  },
  destroy({ as }) {
    people.get(as).provider.destroy();
  },
  close({ as }) {
    const { close, provider } = people.get(as);
    (close ?? (() => provider.disconnect()))();
  },
  connect({ as }) {
    const { connect, provider } = people.get(as);
    (connect ?? (() => provider.connect()))();
  },
  look({ as }) {
    const { doc, provider, text: written, isConnected, closes, echoes, denied, scopes, ends, heard } = people.get(as);
    const text = written.toString();
    return {
      text: text.length < 2 ** 20 ? text : "much",
      length: text.length,
      synced: provider.synced,
      connected: isConnected(),
      unsynced: provider.unsyncedChanges,
      own: doc.clientID,
      clocks: Object.fromEntries([...provider.awareness.meta].map(([id, { clock }]) => [id, clock])),
      states: Object.fromEntries(provider.awareness.getStates()),
      closes,
      echoes: echoes.length,
      denied,
      scopes,
      ends,
      heard,
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[what](given)) ?? null };
  } catch (error) {
    answer = { error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
