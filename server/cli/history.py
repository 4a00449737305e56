"""History of one document for the operator: the rows of its log, and the deeds done to it.

Owners read the deeds over REST as long as their document exists. Afterwards only the database has
them. Rows that are folded are included, as far as they are kept.
"""

import json
from collections.abc import Sequence

from msgspec import to_builtins
from msgspec.structs import asdict

from crdt.ids import DocumentId
from crdt.protocol.row import Contributor
from server.http.sharing import told
from server.store.base import Row, Store
from server.store.contributors import split
from server.store.database import from_microseconds


async def record_of(store: Store, document_id: str, most: int) -> Sequence[str]:
    """Return the newest deeds, the last first, as one JSON object a line, in the form of REST.

    `store` is open.
    """
    deeds = await store.deeds.list(DocumentId(document_id), most)
    return [json.dumps(to_builtins(told(deed))) for deed in deeds]


async def history_of(store: Store, document_id: str, most: int) -> Sequence[str] | None:
    """Return the newest rows, the last first, as one JSON object a line. `store` is open.

    Return None if there is no such document.
    """
    loaded = await store.log.load(DocumentId(document_id))
    if loaded is None:
        return None
    rows = {row.seq: row for row in (*await store.log.history(DocumentId(document_id)), *loaded.rows)}
    newest = sorted(rows.values(), key=lambda row: row.seq, reverse=True)[:most]
    known = await store.log.contributors({key for row in newest for key in split(row.contributors)})
    return [json.dumps(_as_json(row, [known.get(key) for key in split(row.contributors)])) for row in newest]


def _as_json(row: Row, contributors: Sequence[Contributor | None]) -> dict[str, object]:
    return {
        "seq": row.seq,
        "at": None if row.at is None else from_microseconds(row.at).isoformat(),
        "by": [asdict(each) for each in contributors if each is not None],
        "bytes": len(row.batch),
    }
