"""Contract of appends that move words (crdt/rescue): who must know what, and what rows keep."""

from collections.abc import Sequence

from msgspec.structs import replace

from crdt.ids import Seq
from server.store.base import Append, Appended, Behind, Folded, Past
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, OTHER, append, fill


def after(seq: int, name: str, *, moves: bool = False, heirs: bytes = b"") -> Append:
    return replace(append(name), known=Seq(seq), moves=moves, heirs=heirs)


async def test_a_move_must_be_the_next_row(store: SqlStore) -> None:
    await fill(store, "a", "b")
    assert await store.log.append([after(1, "late", moves=True)]) == [Behind(Seq(2))]
    assert await store.log.append([after(2, "next", moves=True)]) == [Appended(Seq(3))]
    assert await store.log.append([after(2, "too late", moves=True)]) == [Behind(Seq(3))]


async def test_of_two_appends_in_one_group_only_the_first_may_move_words(store: SqlStore) -> None:
    """A room that broke had an append under way, and the document was opened again at once."""
    await fill(store, "a")
    group = [after(1, "typed before"), after(1, "moved", moves=True), append("elsewhere", document_id=OTHER)]
    await fill(store, document_id=OTHER)
    assert await store.log.append(group) == [Appended(Seq(2)), Behind(Seq(2)), Appended(Seq(1))]
    group = [after(2, "moved", moves=True), after(1, "unaware")]
    assert await store.log.append(group) == [Appended(Seq(3)), Behind(Seq(3))]


async def test_a_row_behind_a_move_must_know_it(store: SqlStore) -> None:
    await fill(store, "a", "b")
    assert await store.log.append([after(0, "typed")]) == [Appended(Seq(3))]
    assert await store.log.append([after(3, "moved", moves=True)]) == [Appended(Seq(4))]
    assert await store.log.append([after(3, "unaware")]) == [Behind(Seq(4))]
    assert await store.log.append([after(4, "aware")]) == [Appended(Seq(5))]
    assert await store.log.append([after(4, "also")]) == [Appended(Seq(6))]
    assert await store.log.append([append("of an earlier version")]) == [Appended(Seq(7))]


async def test_what_is_repeated_is_answered_as_the_first_time(store: SqlStore) -> None:
    await fill(store, "a")
    move = after(1, "moved", moves=True)
    assert await store.log.append([move]) == [Appended(Seq(2))]
    assert await store.log.append([append("b")]) == [Appended(Seq(3))]
    assert await store.log.append([move]) == [Appended(Seq(2))]
    assert await store.log.append([after(1, "unaware"), after(3, "c", moves=True)]) == [
        Behind(Seq(3)),
        Appended(Seq(4)),
    ]


async def test_heirs_stay_with_their_row_also_in_history(store: SqlStore) -> None:
    async def fold(_before: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
        assert (past.seq, past.memory, list(past.heirs)) == (0, b"", [b"", b"heirs", b""])
        return Folded(b"+".join(batches), b"vector", b"remembered")

    async def fold_again(_before: bytes | None, _batches: Sequence[bytes], past: Past) -> Folded:
        assert (past.seq, past.memory, list(past.heirs)) == (3, b"remembered", [b"more"])
        return Folded(b"again", b"vector")

    await fill(store, "a")
    await store.log.append([after(1, "b", moves=True, heirs=b"heirs"), append("c")])
    rows = await store.log.read(DOCUMENT, Seq(0))
    assert [row.heirs for row in rows or ()] == [b"", b"heirs", b""]
    await store.log.compact(DOCUMENT, fold)
    folded = await store.log.read(DOCUMENT, Seq(1))
    assert [row.heirs for row in folded or ()] == [b"heirs", b""]
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert (loaded.memory, loaded.snapshot) == (b"remembered", b"a+b+c")
    await store.log.append([after(3, "d", moves=True, heirs=b"more")])
    await store.log.compact(DOCUMENT, fold_again)
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert loaded.memory == b""
