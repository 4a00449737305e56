/** A one-way copy of a document for a view that must not write: what happens in the mirror stays in it.
 *
 * An editor that is not editable may still change what it shows (a plugin mends a table), and the
 * binding would write that. A reader's page therefore shows a mirror.
 */

import { HEIRS } from "@manyhands/provider";
import * as Y from "yjs";

export interface Mirror {
  readonly doc: Y.Doc;
  readonly destroy: () => void;
}

export function mirrorOf(doc: Y.Doc): Mirror {
  const mirror = new Y.Doc();
  const follow = (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { meta }: Y.Transaction) => {
    const applied = (transaction: Y.Transaction) => {
      if (meta.has(HEIRS)) transaction.meta.set(HEIRS, meta.get(HEIRS));
      Y.applyUpdate(mirror, update);
    };
    Y.transact(mirror, applied, null, false);
  };
  Y.applyUpdate(mirror, Y.encodeStateAsUpdate(doc));
  doc.on("update", follow);
  return {
    doc: mirror,
    destroy: () => {
      doc.off("update", follow);
      mirror.destroy();
    },
  };
}
