/** What a comment says: words with few formats, and people. */

import { isAllowedHref } from "@manyhands/schema";
import type { ReactNode } from "react";
import type * as wire from "../../api/wire";
import type { Body as BodyOf } from "./threads";

export function Body({ body }: { readonly body: BodyOf }) {
  return (
    <div className="thread-body" dir="auto">
      {body.map(({ content = [] }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a paragraph has no other name
        <p key={at}>{content.map(pieceOf)}</p>
      ))}
    </div>
  );
}

function pieceOf(piece: wire.Words | wire.Mention, at: number): ReactNode {
  if (piece.type === "mention") {
    return (
      <span key={at} className="thread-mention">
        @{piece.attrs.label ?? ""}
      </span>
    );
  }
  return (
    <span key={at}>
      {(piece.marks ?? []).reduceRight<ReactNode>((inside, mark) => marked(inside, mark), piece.text)}
    </span>
  );
}

function marked(inside: ReactNode, mark: NonNullable<wire.Words["marks"]>[number]): ReactNode {
  switch (mark.type) {
    case "bold":
      return <strong>{inside}</strong>;
    case "italic":
      return <em>{inside}</em>;
    case "code":
      return <code>{inside}</code>;
    case "link":
      return isAllowedHref(mark.attrs.href) ? (
        <a href={mark.attrs.href} target="_blank" rel="noopener noreferrer nofollow">
          {inside}
        </a>
      ) : (
        inside
      );
  }
}
