"""Owners for documents that nobody owns, or whose owner cannot come back.

A document has no owner if it is older than owners, or if a program without a cookie made it. A
guest who has lost their cookie cannot come back; the operator must insist on replacing an owner.

Nodes that have such a document open notice the change at their next look into the database.
"""

from collections.abc import AsyncIterator, Sequence

from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Role
from server.cli import CannotDo
from server.store.base import Choice, Store
from server.store.deeds_base import OPERATOR
from server.store.sharing_base import Standing

_PAGE = 200


async def adopt(store: Store, document_id: str | None, user_id: str, *, take: bool = False) -> int:
    """Give a document an owner, or every document without an owner if `document_id` is None.

    Returns how many documents changed. `store` is open. With `take`, an owner is replaced, and
    becomes an editor. Raises CannotDo if the document does not exist, or has an owner already.
    """
    if not user_id or not user_id.isprintable():
        raise CannotDo("A user id is a text without line breaks.")
    ids = (
        [found async for found in _ownerless(store)]
        if document_id is None
        else [await _named(store, document_id, take=take)]
    )
    if document_id is not None and take:
        done = [await store.sharing.grant(each, user_id, Role.OWNER, by=OPERATOR) for each in ids]
    else:  # not from people who have adopted them meanwhile
        done = [await store.sharing.adopt(each, user_id, by=OPERATOR) for each in ids]
    return sum(each is not None and each.deed is not None for each in done)


async def _named(store: Store, document_id: str, *, take: bool) -> DocumentId:
    standing = await _standing(store, document_id) if is_document_id(document_id) else None
    if standing is None:
        raise CannotDo(f"There is no document {document_id}.")
    if standing.owner is not None and not take:
        raise CannotDo(
            f"Document {document_id} has an owner: {standing.owner.user_id}. Let them transfer it, or use --take."
        )
    return DocumentId(document_id)


async def _standing(store: Store, document_id: str) -> Standing | None:
    return (await store.sharing.access([DocumentId(document_id)], [])).get(DocumentId(document_id))


async def _ownerless(store: Store) -> AsyncIterator[DocumentId]:
    async for ids in pages_of(store):
        standings = await store.sharing.access(ids, [])
        for document_id, standing in standings.items():
            if standing.owner is None:
                yield document_id


async def pages_of(store: Store) -> AsyncIterator[Sequence[DocumentId]]:
    """Yield the ids of all documents, in the trash or not, a page at a time."""
    for trashed in (False, True):
        cursor = None
        while True:
            page = await store.catalogue.find(Choice(trashed=trashed), limit=_PAGE, cursor=cursor)
            yield [entry.document_id for entry in page.entries]
            if (cursor := page.cursor) is None:
                break
