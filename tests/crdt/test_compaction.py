"""Compaction: when and how a log is folded. A snapshot that differs from its log never passes."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import InvariantError, ProtocolError
from crdt.log.compaction import ROW_BYTES, fold, should_compact
from crdt.log.compaction_check import Items, check_same
from crdt.protocol.batch import encode_batch
from crdt.yjs.wrapping import open_snapshot, unwrap
from tests.harness.update_writer import embed, text
from tests.harness.update_writer import update as one_update


class Author:
    """One person's replica, and its updates that are not in the log yet."""

    def __init__(self, client_id: int) -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.unsent: list[bytes] = []
        self.heard = 0
        self._listening = True
        self._subscription = self.doc.observe(self._keep)

    def _keep(self, event: Any) -> None:
        if self._listening:
            self.unsent.append(event.update)

    def hear(self, log: list[bytes]) -> None:
        self._listening = False
        for update in log[self.heard :]:
            self.doc.apply_update(update)
        self.heard = len(log)
        self._listening = True

    @property
    def text(self) -> Text:
        root: Text = self.doc.get("t", type=Text)
        return root

    @property
    def map(self) -> Map[Any]:
        root: Map[Any] = self.doc.get("m", type=Map)
        return root

    @property
    def array(self) -> Array[Any]:
        root: Array[Any] = self.doc.get("a", type=Array)
        return root

    @property
    def fragment(self) -> XmlFragment:
        root: XmlFragment = self.doc.get("default", type=XmlFragment)
        return root


def edit(author: Author, chance: random.Random) -> None:
    """Make one random change of one of many kinds."""
    text, fragment, length = author.text, author.fragment, len(author.text)
    at = chance.randrange(length + 1)
    match chance.randrange(8):
        case 0 | 1:
            text.insert(at, chance.choice(["x", "hello ", "world"]))
        case 2 if length > at:
            del text[at : min(length, at + 1 + chance.randrange(4))]
        case 3 if length > at:
            text.format(at, length, {"bold": chance.choice([True, None])})
        case 4:
            author.map[chance.choice("abc")] = chance.choice([1, "v", None, True, {"x": [1, {"y": 2.5}], "z": 0}])
        case 5:
            author.array.append(chance.choice([1, True, "s", Map({"k": 1})]))
        case 6 if len(author.array):
            del author.array[chance.randrange(len(author.array))]
        case 7 if len(fragment.children) > 3:
            del fragment.children[0]
        case _:
            fragment.children.append(XmlElement("p", {"id": "1", "class": "c"}, [XmlText("deep")]))


def session(seed: int, edits: int = 60) -> list[bytes]:
    """Return the log of three people who write at once and sync now and then."""
    chance = random.Random(seed)
    authors = [Author(client_id) for client_id in (1, 77, 2**53 - 1)]
    log: list[bytes] = []
    for _ in range(edits):
        author = chance.choice(authors)
        edit(author, chance)
        if chance.random() < 0.4:
            log += author.unsent
            author.unsent.clear()
            author.hear(log)
    return log + [update for author in authors for update in author.unsent]


def replay(log: list[bytes]) -> Doc[Any]:
    document: Doc[Any] = Doc()
    for update in log:
        document.apply_update(update)
    return document


def told(log: list[bytes]) -> Items:
    items = Items()
    for update in log:
        items.add(update)
    return items


def opened(snapshot: bytes) -> bytes:
    engine = open_snapshot(snapshot)
    assert engine is not None
    return engine


def passes(log: list[bytes], snapshot: bytes, state_vector: bytes) -> bool:
    try:
        check_same(told(log), snapshot, state_vector)
    except (InvariantError, ProtocolError):
        return False
    return True


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=25)
def test_a_log_folded_bit_by_bit_is_the_log_folded_at_once(seed: int, rows: int) -> None:
    log = session(seed)
    at_once, state_vector = fold(None, [encode_batch([update]) for update in log])
    snapshot: bytes | None = None
    for start in range(0, len(log), rows):
        snapshot, reached = fold(snapshot, [encode_batch(log[start : start + rows])])
    assert snapshot is not None
    assert reached == state_vector
    assert passes(log, opened(snapshot), state_vector)
    assert passes(log, opened(at_once), state_vector)
    assert str(replay([opened(snapshot)]).get("t", type=Text)) == str(replay(log).get("t", type=Text))


def test_an_empty_log_folds_into_an_empty_document() -> None:
    snapshot, state_vector = fold(None, [])
    assert (opened(snapshot), state_vector) == (b"\0\0", b"\0")


def test_deleted_text_is_gone_from_the_snapshot() -> None:
    author = Author(1)
    author.text.insert(0, "secret" * 1000)
    del author.text[0:6000]
    snapshot, _ = fold(None, [encode_batch(author.unsent)])
    assert b"secret" not in snapshot
    assert len(opened(snapshot)) < 40


def written() -> tuple[list[bytes], Doc[Any]]:
    author = Author(1)
    author.text.insert(0, "hello world")
    del author.text[5:6]
    author.map["k"] = {"bold": True}
    author.map["n"] = 7
    author.text.insert(3, "bread")
    return author.unsent, author.doc


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole.replace(b"bread", b"broad"), id="a-changed-character"),
        pytest.param(lambda whole: whole.replace(b"\x04bold\x78", b"\x04bold\x79"), id="a-changed-value"),
        pytest.param(lambda whole: whole.replace(b"\x01m\x01n", b"\x01m\x01o"), id="a-changed-key"),
        pytest.param(lambda whole: whole.replace(b"\x01t\x03hel", b"\x01u\x03hel"), id="another-root"),
        pytest.param(lambda whole: whole[:-4] + b"\x01\x01\x05\x02", id="a-deletion-too-wide"),
        pytest.param(lambda whole: whole[:-1], id="a-lost-end"),
        pytest.param(lambda whole: whole + b"\0", id="something-behind-the-end"),
        pytest.param(lambda whole: b"\0\0" + whole[:0], id="everything-dropped"),
    ],
)
def test_a_damaged_snapshot_does_not_pass(damage: Damage) -> None:
    log, document = written()
    whole, state_vector = document.get_update(), document.get_state()
    assert passes(log, whole, state_vector)
    damaged = damage(whole)
    assert damaged != whole
    assert not passes(log, damaged, state_vector)


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=25)
def test_no_update_of_the_log_can_be_missing_from_its_snapshot(seed: int, data: st.DataObject) -> None:
    """A snapshot of a prefix of the log passes only if the rest of the log brings nothing new."""
    log = session(seed)
    shorter = replay(log[: data.draw(st.integers(0, len(log) - 1))])
    same = shorter.get_state() == replay(log).get_state() and shorter.get_update() == replay(log).get_update()
    assert passes(log, shorter.get_update(), shorter.get_state()) <= same


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_a_deletion_that_nobody_made_does_not_pass(seed: int) -> None:
    log = session(seed)
    intruder = Author(5)
    intruder.hear(log)
    if len(intruder.text) == 0:
        return
    del intruder.text[0:1]
    assert not passes(log, intruder.doc.get_update(), intruder.doc.get_state())


def test_a_snapshot_that_lacks_a_deletion_does_not_pass() -> None:
    log, _ = written()
    keeper: Doc[Any] = Doc(skip_gc=True)
    for update in log:
        keeper.apply_update(update)
    whole, state_vector = keeper.get_update(), keeper.get_state()
    assert whole.endswith(b"\x01\x01\x01\x05\x01")
    assert passes(log, whole, state_vector)
    assert not passes(log, whole[:-5] + b"\0", state_vector)


def test_a_flipped_bit_passes_only_where_it_has_no_meaning() -> None:
    log, document = written()
    whole, state_vector = document.get_update(), document.get_state()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        if _slips_through(log, bytes(flipped), state_vector):
            assert replay([bytes(flipped)]).get_update() == replay([whole]).get_update()


def _slips_through(log: list[bytes], flipped: bytes, state_vector: bytes) -> bool:
    try:
        return passes(log, flipped, state_vector)
    except ValueError:  # of text that is not UTF-8, of JSON that is none
        return False


def test_what_pycrdt_would_hold_back_is_noticed() -> None:
    """With a gap, pycrdt takes the bytes without an error, and its encoding may lack them."""
    with pytest.raises(InvariantError, match="gap"):
        fold(None, [encode_batch([bytes.fromhex("0101070a840104017800")])])


def test_what_the_engine_would_change_is_folded_to_the_letter() -> None:
    """pycrdt would return a BigInt as a plain number, and a float with another last digit."""
    bigint = bytes.fromhex("010101002801016d016b017a100000000000000000")
    drifting = one_update({2: (0, [embed('{"x":0.43737734465755684}', parent="t")])})
    snapshot, _ = fold(None, [encode_batch([bigint]), encode_batch([drifting])])
    again, _ = fold(snapshot, [encode_batch([one_update({3: (0, [text("x", parent="t")])})])])
    for folded in (snapshot, again):
        told_to_clients = unwrap(opened(folded))
        assert bigint[4:-1] in told_to_clients
        assert drifting[4:-1] in told_to_clients


def test_a_snapshot_of_a_former_version_is_folded_on() -> None:
    """Such a snapshot has no prefix, and holds the values as pycrdt encoded them then."""
    _, document = written()
    snapshot, _ = fold(document.get_update(), [encode_batch([one_update({3: (0, [text("x", parent="t")])})])])
    assert str(replay([opened(snapshot)]).get("t", type=Text)) == "helbreadloworldx"


def test_a_string_inside_an_array_does_not_hold_the_fold_up() -> None:
    """Iterating over such an array with pycrdt never ends. Comparing encodings does not iterate."""
    updates = ["0101010008010161037d017d027d0300", "01010200c40100010102c3a900"]
    log = [bytes.fromhex(update) for update in updates]
    snapshot, state_vector = fold(None, [encode_batch(log)])
    assert passes(log, opened(snapshot), state_vector)


def test_a_log_is_folded_when_it_has_grown_by_a_share_of_its_snapshot() -> None:
    assert not should_compact(0, 0, 0)
    assert not should_compact(100, 3_000, 0)
    assert should_compact(3_000, 90_000, 0)
    assert should_compact(1, 300_000, 0)
    assert not should_compact(3_000, 90_000, 10_000_000)
    assert should_compact(3_000, 5_000_000, 10_000_000)


def test_less_is_enough_when_the_last_person_has_left() -> None:
    assert not should_compact(10, 300, 0, unloading=True)
    assert should_compact(200, 6_000, 0, unloading=True)
    assert not should_compact(200, 6_000, 10_000_000, unloading=True)


@pytest.mark.parametrize("row_bytes", [30, 500, 20_000])
def test_all_compactions_of_a_document_together_are_linear_in_its_history(row_bytes: int) -> None:
    """This holds even if nothing is ever deleted, so that the snapshot grows as fast as it can."""
    snapshot = log = rows = folded = 0
    count = 6_000_000 // row_bytes
    for _ in range(count):
        log, rows = log + row_bytes, rows + 1
        if should_compact(rows, log, snapshot):
            folded += snapshot + log
            snapshot, log, rows = snapshot + log, 0, 0
    assert 0 < folded <= 3 * count * (row_bytes + ROW_BYTES)
