/** The worker that searches for expressions: some of them never end, and a worker can be ended. */

import { type Hit, hitsIn, type Matcher } from "./matching";

export interface Task {
  readonly texts: readonly string[];
  readonly matcher: Matcher;
  readonly template: string | undefined;
}

self.onmessage = ({ data: { texts, matcher, template } }: MessageEvent<Task>) => {
  const hits: readonly (readonly Hit[])[] = texts.map((text) => hitsIn(text, matcher, template));
  self.postMessage(hits);
};
