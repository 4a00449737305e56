"""Reads the record of who has changed access to a document, or trashed and deleted it: for the operator, and of documents that are gone.

Owners read it over REST as long as their document exists; what became of it afterwards only the
database knows.
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
    """Open the database that the settings name, and read there; raises Unavailable."""
    async with SqlStore(url_of(config.places.database_url, config.places.data_dir)) as store:
        return await record_of(store, document_id, most)


async def record_of(store: Store, document_id: str, most: int) -> Sequence[str]:
    """The newest deeds, the last first, one JSON object a line, as REST tells them. `store` is open."""
    deeds = await store.audit.list(DocumentId(document_id), most)
    return [json.dumps(to_builtins(told(deed))) for deed in deeds]
