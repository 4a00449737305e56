/** The real server, as `make serve` runs it: a process on a free port of this machine, with its data in a directory of its own. */

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, onTestFinished } from "vitest";

const HOUSE = join(import.meta.dirname, "../../../..");
const SECRET = "what the application and this server both know, and nobody else in the whole world";

/** Settings by their names without `MANYHANDS_`. */
type Settings = Readonly<Record<string, string>>;

interface Running {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** A server for the tests of the file, which share it; the way to its address. */
export function sharedServer(settings: Settings = {}): () => string {
  let running: Running | undefined;
  beforeAll(async () => {
    running = await startServer(settings);
  });
  afterAll(() => running?.stop());
  return () => running?.url ?? "";
}

async function startServer(settings: Settings): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), "manyhands-"));
  const variables = Object.entries(settings).map(([name, value]) => [`MANYHANDS_${name}`, value]);
  const given = ["serve", "--port", "0", "--data-dir", data, "--log-level", "error"];
  const server = spawn(join(HOUSE, ".venv/bin/manyhands"), given, {
    cwd: HOUSE,
    env: { ...process.env, ...Object.fromEntries(variables) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(data, { recursive: true });
  };
  for await (const line of createInterface({ input: server.stdout })) {
    const url = / is at (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return { url, stop };
  }
  throw new Error("The server has ended before it was there.");
}

/** Settings of a server that knows people by tokens of an application. */
export const WITH_TOKENS: Settings = { AUTH: "jwt", JWT_SECRET: SECRET };

/** A token of that application, good for so many seconds. */
export function tokenFor(sub: string, claims: object = {}, seconds = 3600): string {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const encoded = [
    { alg: "HS256", typ: "JWT" },
    { sub, name: sub, exp, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const text = encoded.join(".");
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

export async function ask(url: string, method: string, path: string, body?: object, token?: string) {
  const headers = {
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  const answer = await fetch(`${url}${path}`, { method, headers, body: body ? JSON.stringify(body) : null });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? null : ((await answer.json()) as Record<string, unknown>);
}

export async function newDocument(url: string, token?: string): Promise<string> {
  const made = await ask(url, "POST", "/api/documents", { title: "Story" }, token);
  return String(made?.id);
}

/** An address that leads to the server, and puts `header` into each request on the way, in the place of one of that name. */
export async function throughProxy(url: string, header: string): Promise<string> {
  const [name] = header.split(":");
  const old = new RegExp(`\r\n${name}:[^\r]*`, "i");
  const proxy = createServer((client) => {
    const server = createConnection(Number(new URL(url).port), "127.0.0.1");
    client.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      const isRequest = /^(GET|POST) /.test(text);
      const changed = text.replace(old, "").replace("\r\n", `\r\n${header}\r\n`);
      server.write(isRequest ? Buffer.from(changed, "latin1") : bytes);
    });
    server.pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
