"""Batches that come in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.requests import Upload
from crdt.uploads import Uploads

HERE, THERE = DocumentId("document-here"), DocumentId("document-there")


def part(offset: int, total: int, content: bytes, document_id: DocumentId = HERE) -> Upload:
    return Upload(document_id, offset, total, content)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50))
def test_parts_in_order_are_the_batch(batch: bytes, size: int) -> None:
    uploads = Uploads(part_bytes=50, most_bytes=200)
    answers = [
        uploads.receive(part(offset, len(batch), batch[offset : offset + size]))
        for offset in range(0, len(batch), size)
    ]
    assert answers[-1] == batch
    assert answers[:-1] == list(range(size, len(batch), size))
    assert uploads.held_bytes == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (part(3, 8, b"x"), Code.MALFORMED),
        (part(2, 9, b"x"), Code.MALFORMED),
        (part(2, 8, b""), Code.MALFORMED),
        (part(2, 8, b"1234567"), Code.MALFORMED),
        (part(2, 8, b"x" * 11), Code.TOO_LARGE),
    ],
    ids=["a gap", "another total", "an empty part", "past the end", "a part that is too large"],
)
def test_a_mistake_forgets_the_upload(wrong: Upload, code: Code) -> None:
    uploads = Uploads(part_bytes=10, most_bytes=100)
    assert uploads.receive(part(0, 8, b"ab")) == 2
    with pytest.raises(ProtocolError) as refused:
        uploads.receive(wrong)
    assert refused.value.code is code
    assert uploads.held_bytes == 0
    with pytest.raises(ProtocolError):
        uploads.receive(part(2, 8, b"cdefgh"))
    assert uploads.receive(part(0, 2, b"ab")) == b"ab"


def test_one_connection_holds_no_more_than_one_batch_in_all() -> None:
    uploads = Uploads(part_bytes=10, most_bytes=15)
    assert uploads.receive(part(0, 12, b"x" * 10)) == 10
    with pytest.raises(ProtocolError) as refused:
        uploads.receive(part(0, 12, b"x" * 10, THERE))
    assert refused.value.code is Code.TOO_LARGE
    assert uploads.receive(part(10, 12, b"xx")) == b"x" * 12


def test_beginning_anew_drops_what_was_there() -> None:
    uploads = Uploads(part_bytes=10, most_bytes=100)
    uploads.receive(part(0, 8, b"abcd"))
    assert uploads.receive(part(0, 3, b"xy")) == 2
    uploads.forget(HERE)
    assert uploads.held_bytes == 0
