/** Nodes of one document, as the server runs them: a Python process with real rooms over one log. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decodeBatch } from "../../../provider/src/batch";

/** The repository's root. */
export const ROOT = resolve(fileURLToPath(import.meta.url), "../../../../..");

const PYTHON = `${ROOT}/.venv/bin/python`;

export interface Setting {
  readonly nodes?: number;
  /** Rows after which the log is folded, and one node opens the document again. */
  readonly fold?: number;
  readonly rescue?: boolean;
}

export interface Said {
  readonly update: Uint8Array;
  /** The last row that the author had applied; null if they do not say. */
  readonly after: number | null;
  readonly client: number;
  readonly node?: number;
}

export interface Batch {
  readonly updates: readonly Uint8Array[];
  readonly after: number | null;
}

/** [client id, clock, length, heir's client id, heir's clock] */
export type Heir = readonly [number, number, number, number, number];

export interface Row {
  readonly seq: number;
  readonly updates: readonly Uint8Array[];
  readonly heirs: readonly Heir[];
}

interface Told {
  readonly error?: string;
  readonly refusals?: readonly string[];
  readonly rows?: readonly {
    readonly seq: number;
    readonly batch: string;
    readonly heirs: readonly Heir[];
  }[];
}

export class Nodes {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private complaint = "";

  constructor() {
    if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing. Set up Python first: make test-fast`);
    this.child = spawn(PYTHON, ["-m", "tests.harness.rescuing_nodes"], { cwd: ROOT });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.stderr.on("data", (data) => {
      this.complaint += String(data);
    });
  }

  /** Begins a new document. */
  async begin({ nodes = 1, fold = 0, rescue = true }: Setting = {}): Promise<void> {
    await this.ask({ reset: 1, nodes, fold, rescue });
  }

  /** Sends an update through a node; returns the new rows. */
  async say({ update, after, client, node = 0 }: Said): Promise<Row[]> {
    const told = await this.ask({ update: encoded(update), after, client, node });
    return rowsOf(told);
  }

  /** Sends batches that wait together at a node; returns the new rows. */
  async sayAll(batches: readonly Batch[], client: number, node = 0): Promise<Row[]> {
    const said = batches.map(({ updates, after }) => ({ updates: updates.map(encoded), after }));
    return rowsOf(await this.ask({ batches: said, client, node }));
  }

  end(): void {
    this.child.stdin.end();
  }

  private async ask(step: object): Promise<Told> {
    this.child.stdin.write(`${JSON.stringify(step)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`The nodes have ended. ${this.complaint}`);
    const told: Told = JSON.parse(value);
    if (told.error) throw new Error(told.error);
    return told;
  }
}

function rowsOf({ refusals, rows }: Told): Row[] {
  if (refusals?.length) throw new Error(`An update is refused: ${refusals.join()}`);
  return (rows ?? []).map(({ seq, batch, heirs }) => ({ seq, updates: decodeBatch(decoded(batch)), heirs }));
}

export function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

export function decoded(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
