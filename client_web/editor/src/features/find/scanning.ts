/** Scans: texts searched for an expression in a worker, for as long as a person would wait. */

import type { Hit, Matcher } from "./matching";
import type { Task } from "./worker";

/** Why a scan has no result: the expression takes too long here, no worker could be had, or something else was asked. */
export class NoScan extends Error {
  readonly reason: "too long" | "no worker" | "stopped";

  constructor(reason: NoScan["reason"]) {
    super(reason);
    this.reason = reason;
  }
}

export interface Scanner {
  /** Finds the hits in each text, one scan after the other. Rejects with NoScan. */
  readonly scan: (
    texts: readonly string[],
    matcher: Matcher,
    template?: string,
  ) => Promise<readonly (readonly Hit[])[]>;
  /** Ends all scans that are asked for. */
  readonly stop: () => void;
}

/** Milliseconds for one scan. */
const BUDGET = 2_000;

export function workerScanner(): Scanner {
  let worker: Worker | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let life = 0;
  let end: ((reason: NoScan["reason"]) => void) | null = null;

  const run = (task: Task) =>
    new Promise<readonly (readonly Hit[])[]>((resolve, reject) => {
      worker ??= new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      const timer = setTimeout(() => end?.("too long"), BUDGET);
      end = (reason) => {
        end = null;
        clearTimeout(timer);
        worker?.terminate();
        worker = null;
        reject(new NoScan(reason));
      };
      worker.onerror = () => end?.("no worker");
      worker.onmessage = ({ data }: MessageEvent<readonly (readonly Hit[])[]>) => {
        end = null;
        clearTimeout(timer);
        resolve(data);
      };
      worker.postMessage(task);
    });

  return {
    scan: (texts, matcher, template) => {
      const asked = life;
      const answer = last
        .catch(() => undefined)
        .then(() => {
          if (asked !== life) throw new NoScan("stopped");
          return run({ texts, matcher, template });
        });
      last = answer;
      return answer;
    },
    stop: () => {
      life += 1;
      end?.("stopped");
      worker?.terminate();
      worker = null;
    },
  };
}
