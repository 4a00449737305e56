/**
 * A Socket.IO server's front door on a real socket: who knocks, with what, and whether they are let in. No rooms behind it.
 *
 * It speaks WebSocket, and long-polling for one client at a time.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type RawData, WebSocketServer } from "ws";

/** The server's no to a CONNECT, or null to let it in. */
type Verdict = { readonly code: string; readonly message: string } | null;

const TERMS = '"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000';
/** Between the packets of one answer to a poll. */
const SEPARATOR = "\x1e";

export class FrontDoor {
  /** The payload of each CONNECT, oldest first. */
  readonly connects: unknown[] = [];
  /** The arguments of each `authenticate`. */
  readonly authentications: unknown[] = [];
  /** The protocol that the answers to CONNECT name; none, as old servers do. */
  spoken: number | null = null;
  /** The pieces of each update. */
  readonly updates: (string | Uint8Array)[] = [];
  /** For the next CONNECTs; then everybody is let in. */
  readonly verdicts: Verdict[] = [];
  /** For the next `authenticate`s. */
  readonly answers: unknown[] = [];
  /** Whoever asks for a session, in order: by which transport. */
  readonly knocks: ("websocket" | "polling")[] = [];
  /** What a network between here and the client does to WebSockets: lose their requests, or their frames. */
  swallows: "upgrades" | "frames" | null = null;
  /** Answers every poll with this body, as another server in the network would. */
  impostor: { readonly status: number; readonly body: string } | null = null;
  private readonly websockets = new WebSocketServer({ noServer: true });
  private readonly http = createServer((request, response) => this.answerPoll(request, response));
  private readonly sockets = new Set<Socket>();
  /** Packets for the client that polls, and its open request. */
  private outgoing: string[] = [];
  private poll: ServerResponse | null = null;

  /** Open, unless it is open already. */
  async open(): Promise<this> {
    if (this.http.listening) return this;
    this.http.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    this.http.on("upgrade", (request, socket, head) => {
      const isProbe = request.url?.includes("&sid=") ?? false;
      if (!isProbe) this.knocks.push("websocket");
      if (this.swallows === "upgrades") return;
      this.websockets.handleUpgrade(request, socket, head, (websocket) => {
        if (isProbe || this.swallows === "frames") return;
        websocket.send(`0{"sid":"s","upgrades":[],${TERMS}}`);
        websocket.on("message", (data, isBinary) => {
          if (isBinary) this.updates.push(new Uint8Array(data as Buffer));
          else this.hear(textOf(data), (frame) => websocket.send(frame));
        });
      });
    });
    await new Promise<void>((listening) => this.http.listen(0, "127.0.0.1", listening));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Cut every connection. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
    [this.poll, this.outgoing] = [null, []];
  }

  async close(): Promise<void> {
    this.hangUp();
    if (this.http.listening) await new Promise((closed) => this.http.close(closed));
  }

  private answerPoll(request: IncomingMessage, response: ServerResponse): void {
    const isNew = !request.url?.includes("&sid=");
    if (isNew) this.knocks.push("polling");
    if (this.impostor !== null) {
      response.writeHead(this.impostor.status).end(this.impostor.body);
    } else if (isNew) {
      response.end(`0{"sid":"s","upgrades":["websocket"],${TERMS}}`);
    } else if (request.method === "GET") {
      this.poll = response;
      this.flush();
    } else {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        response.end("ok");
        for (const frame of body.split(SEPARATOR)) this.hear(frame, (answer) => this.push(answer));
      });
    }
  }

  private push(frame: string): void {
    this.outgoing.push(frame);
    this.flush();
  }

  private flush(): void {
    if (this.poll === null || this.outgoing.length === 0) return;
    this.poll.end(this.outgoing.join(SEPARATOR));
    [this.poll, this.outgoing] = [null, []];
  }

  private hear(frame: string, send: (frame: string) => void): void {
    if (frame.startsWith("40")) {
      this.connects.push(JSON.parse(frame.slice(2) || "null"));
      const verdict = this.verdicts.shift() ?? null;
      send(
        verdict === null
          ? `40${JSON.stringify({ sid: "s", ...(this.spoken === null ? {} : { protocol: this.spoken }) })}`
          : `44${JSON.stringify({ message: verdict.message, data: verdict })}`,
      );
      return;
    }
    if (frame.startsWith("451-")) this.updates.push(frame);
    const [, ack, body] = /^42(\d+)(.*)$/s.exec(frame) ?? [];
    const [event, argument] = JSON.parse(body ?? "[]") as unknown[];
    if (event !== "authenticate") return;
    this.authentications.push(argument);
    send(`43${ack}${JSON.stringify([this.answers.shift() ?? { user: {} }])}`);
  }
}

function textOf(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as ArrayBuffer).toString();
}
