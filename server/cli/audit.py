"""Audit of one document for the operator: all that was done to it, and by whom.

Owners read the audit over REST as long as their document exists. Afterwards only the database has
it.
"""

import json
from collections.abc import Sequence

from msgspec import to_builtins

from crdt.ids import DocumentId
from server.config import Config
from server.http.sharing import told
from server.store.base import Store
from server.store.sql import SqlStore, url_of


async def record_in(config: Config, document_id: str, most: int) -> Sequence[str]:
    """Call `record_of` on the database that the settings name. Raises Unavailable."""
    async with SqlStore(url_of(config.places.database_url, config.places.data_dir)) as store:
        return await record_of(store, document_id, most)


async def record_of(store: Store, document_id: str, most: int) -> Sequence[str]:
    """Return the newest deeds, the last first, as one JSON object a line, in the form of REST.

    `store` is open.
    """
    deeds = await store.deeds.list(DocumentId(document_id), most)
    return [json.dumps(to_builtins(told(deed))) for deed in deeds]
