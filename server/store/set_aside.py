"""Marks of updates that are set aside, in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.row import Found, SetAside
from server.store.catalogue import write_deed
from server.store.database import SqlPort, change, fetch, from_microseconds, reads, unless_there, writes
from server.store.deeds_base import OPERATOR, Deed, Kind
from server.store.schema import documents, set_aside
from server.store.set_aside_base import Kept, Marks, State, UpdatePlace

_MARKS = (
    select(set_aside.c.seq, set_aside.c.position, set_aside.c.stand_in, set_aside.c.reason, set_aside.c.state)
    .where(set_aside.c.document_key == bindparam("key"))
    .order_by(set_aside.c.seq, set_aside.c.position)
)
_LOCKED = (
    select(documents.c.key, documents.c.set_aside_version)
    .where(documents.c.document_id == bindparam("of_id"), documents.c.epoch == bindparam("of_epoch"))
    .with_for_update(key_share=True)
)
_RAISE_VERSION = (
    update(documents)
    .where(documents.c.key == bindparam("of_document"))
    .values(set_aside_version=documents.c.set_aside_version + 1)
)


class SqlSetAsides(SqlPort):
    """The set-aside port over a database."""

    @writes
    def keep(
        self, connection: Connection, document_id: DocumentId, epoch: Epoch, found: Sequence[Found]
    ) -> tuple[int, int] | None:
        mark = unless_there(connection.dialect.name, set_aside)
        for key, before in fetch(connection, _LOCKED, of_id=document_id, of_epoch=epoch):
            added = 0
            for each in found:
                of = each.set_aside
                kept = {"data": each.raw, "stand_in": of.stand_in, "reason": of.reason}
                place = {"document_key": key, "seq": each.seq, "position": of.position}
                added += change(connection, mark, **place, **kept, state=State.KEPT.value, found_at=self.now())
            if added:
                change(connection, _RAISE_VERSION, of_document=key)
            return before, before + bool(added)
        return None

    @reads
    def list(self, connection: Connection, document_id: DocumentId | None = None) -> Sequence[Kept]:
        of = set_aside.c
        query = select(
            documents.c.document_id, of.seq, of.position, of.data, of.stand_in, of.reason, of.state, of.found_at
        ).join(documents)
        if document_id is not None:
            query = query.where(documents.c.document_id == document_id)
        return [
            Kept(
                document,
                Found(Seq(seq), SetAside(position, bytes(stand_in), reason), bytes(data)),
                State(state),
                from_microseconds(found_at),
            )
            for document, seq, position, data, stand_in, reason, state, found_at in connection.execute(
                query.order_by(documents.c.document_id, of.seq, of.position)
            )
        ]

    @writes
    def settle(self, connection: Connection, document_id: DocumentId, seq: Seq, position: int, state: State) -> bool:
        key = connection.execute(select(documents.c.key).where(documents.c.document_id == document_id)).scalar()
        if key is None:
            return False
        changed = connection.execute(
            update(set_aside)
            .where(set_aside.c.document_key == key, set_aside.c.seq == seq, set_aside.c.position == position)
            .values(state=state)
        )
        if not changed.rowcount:
            return False
        change(connection, _RAISE_VERSION, of_document=key)
        if state is not State.KEPT:
            details = {"place": str(UpdatePlace(seq, position))}
            write_deed(connection, Deed(Kind(state.value), document_id, OPERATOR, self.clock(), details))
        return True


def read_marks(connection: Connection, key: int, version: int) -> Marks:
    """Read a document's marks. `key` and `version` are from its row in `documents`."""
    if not version:
        return Marks()
    by_seq: dict[Seq, tuple[SetAside, ...]] = {}
    open_ones = 0
    for seq, position, stand_in, reason, state in fetch(connection, _MARKS, key=key):
        by_seq[Seq(seq)] = (*by_seq.get(Seq(seq), ()), SetAside(position, bytes(stand_in), reason))
        open_ones += state == State.KEPT
    return Marks(by_seq, version, open_ones)
