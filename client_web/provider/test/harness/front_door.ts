/** A Socket.IO server's front door on a real socket: who knocks, with what, and whether they are let in. No rooms behind it. */

import { type RawData, WebSocketServer } from "ws";

/** The server's no to a CONNECT, or null to let it in. */
type Verdict = { readonly code: string; readonly message: string } | null;

export class FrontDoor {
  /** The payload of each CONNECT, oldest first. */
  readonly connects: unknown[] = [];
  /** The arguments of each `authenticate`. */
  readonly authentications: unknown[] = [];
  /** For the next CONNECTs; then everybody is let in. */
  readonly verdicts: Verdict[] = [];
  /** For the next `authenticate`s. */
  readonly answers: unknown[] = [];
  private readonly server = new WebSocketServer({ port: 0, host: "127.0.0.1" });

  async open(): Promise<this> {
    await new Promise((listening) => this.server.once("listening", listening));
    this.server.on("connection", (socket) => {
      socket.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
      socket.on("message", (data) => this.hear(textOf(data), (frame) => socket.send(frame)));
    });
    return this;
  }

  get url(): string {
    const address = this.server.address();
    return typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  }

  async close(): Promise<void> {
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((closed) => this.server.close(closed));
  }

  private hear(frame: string, send: (frame: string) => void): void {
    if (frame.startsWith("40")) {
      this.connects.push(JSON.parse(frame.slice(2) || "null"));
      const verdict = this.verdicts.shift() ?? null;
      send(
        verdict === null
          ? '40{"sid":"s"}'
          : `44${JSON.stringify({ message: verdict.message, data: verdict })}`,
      );
      return;
    }
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
