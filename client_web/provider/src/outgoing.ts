/** The way out for batches: in order, the large ones in parts. */

import type { Answer, Connection } from "./connection.js";

/** A batch, and the last row that the document had applied when its updates were made; null for a state of the document. */
interface Message {
  readonly after: number | null;
  readonly batch: Uint8Array;
}

interface Waiting extends Message {
  readonly answered: (answer: Answer) => void;
}

/**
 * Sends batches of one document as `update`, or as `upload` when they are larger than a part.
 *
 * Batches build on each other, so whatever comes after an upload waits until that is acknowledged.
 */
export class Outgoing {
  private readonly documentId: string;
  private readonly connection: Connection;
  private queue: Waiting[] = [];
  private uploading = false;
  /** Grows with each `reset`: answers to what was sent before are nobody's. */
  private generation = 0;

  constructor(documentId: string, connection: Connection) {
    this.documentId = documentId;
    this.connection = connection;
  }

  /** Send a batch; `answered` gets the ack of the whole, or is never called after a `reset`. */
  send(message: Message, partBytes: number, answered: (answer: Answer) => void): void {
    this.queue.push({ ...message, answered });
    this.pump(partBytes);
  }

  /** Forget what waits and what is under way. */
  reset(): void {
    this.queue = [];
    this.uploading = false;
    this.generation += 1;
  }

  private pump(partBytes: number): void {
    while (!this.uploading) {
      const next = this.queue.shift();
      if (next === undefined) return;
      if (next.batch.length > partBytes) {
        this.uploading = true;
        this.uploadFrom(0, next, partBytes);
      } else {
        const { after, batch } = next;
        const args = after === null ? [this.documentId, batch] : [this.documentId, after, batch];
        this.connection.request("update", args, this.unlessReset(next.answered));
      }
    }
  }

  private uploadFrom(offset: number, waiting: Waiting, partBytes: number): void {
    const { after, batch } = waiting;
    const end = Math.min(offset + partBytes, batch.length);
    const place = { offset, total: batch.length, ...(after === null ? {} : { after }) };
    const answered = this.unlessReset((answer) => {
      if (isReceived(answer) && end < batch.length) {
        this.uploadFrom(end, waiting, partBytes);
        return;
      }
      this.uploading = false;
      waiting.answered(answer);
      this.pump(partBytes);
    });
    this.connection.request("upload", [this.documentId, place, batch.slice(offset, end)], answered);
  }

  private unlessReset(answered: (answer: Answer) => void): (answer: Answer) => void {
    const { generation } = this;
    return (answer) => {
      if (generation === this.generation) answered(answer);
    };
  }
}

function isReceived(answer: Answer): boolean {
  return (
    answer.kind === "answered" &&
    typeof answer.value === "object" &&
    answer.value !== null &&
    !("error" in answer.value)
  );
}
