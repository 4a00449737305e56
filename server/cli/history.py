"""History of one document: a line for each row of its log, with the time and the contributors.

Rows that are folded are included, as far as they are kept.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict

from crdt.ids import DocumentId
from crdt.protocol.row import Contributor
from server.config import Config
from server.store.base import Row, Store
from server.store.contributors import split
from server.store.sql import SqlStore, url_of
from server.store.statements import from_microseconds


async def history_in(config: Config, document_id: str, most: int) -> Sequence[str] | None:
    """Call `history_of` on the database that the settings name. Raises Unavailable."""
    async with SqlStore(url_of(config.places.database_url, config.places.data_dir)) as store:
        return await history_of(store, document_id, most)


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
