"""Uploads: batches that come in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.budget import Account, Budget, unbounded
from crdt.errors import Code, GivenUp, ManyhandsError, ProtocolError
from crdt.ids import DocumentId
from crdt.protocol.requests import Upload, Uploads, Whole

HERE, THERE = DocumentId("document-here"), DocumentId("document-there")


def uploads_of(part_bytes: int, most_bytes: int, account: Account | None = None) -> Uploads:
    return Uploads(part_bytes, most_bytes, account or unbounded().of("alice"))


def batch_of(answer: Whole | int) -> bytes:
    assert isinstance(answer, Whole)
    return answer.batch


def part(offset: int, total: int, content: bytes, document_id: DocumentId = HERE) -> Upload:
    return Upload(document_id, offset, total, content)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50))
def test_parts_in_order_are_the_batch(batch: bytes, size: int) -> None:
    uploads = uploads_of(part_bytes=50, most_bytes=200)
    answers = [
        uploads.receive(part(offset, len(batch), batch[offset : offset + size]))
        for offset in range(0, len(batch), size)
    ]
    assert batch_of(answers[-1]) == batch
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
    uploads = uploads_of(part_bytes=10, most_bytes=100)
    assert uploads.receive(part(0, 8, b"ab")) == 2
    with pytest.raises(ProtocolError) as refused:
        uploads.receive(wrong)
    assert refused.value.code is code
    assert uploads.held_bytes == 0
    with pytest.raises(ProtocolError):
        uploads.receive(part(2, 8, b"cdefgh"))
    assert batch_of(uploads.receive(part(0, 2, b"ab"))) == b"ab"


def test_one_connection_holds_no_more_than_one_batch_in_all() -> None:
    uploads = uploads_of(part_bytes=10, most_bytes=15)
    assert uploads.receive(part(0, 12, b"x" * 10)) == 10
    with pytest.raises(ProtocolError) as refused:
        uploads.receive(part(0, 12, b"x" * 10, THERE))
    assert refused.value.code is Code.TOO_LARGE
    assert batch_of(uploads.receive(part(10, 12, b"xx"))) == b"x" * 12


def test_beginning_anew_drops_what_was_there() -> None:
    uploads = uploads_of(part_bytes=10, most_bytes=100)
    uploads.receive(part(0, 8, b"abcd"))
    assert uploads.receive(part(0, 3, b"xy")) == 2
    uploads.forget(HERE)
    assert uploads.held_bytes == 0


class TestWhatIsHeldForOne:
    def test_all_connections_of_a_person_together_hold_their_share_and_others_have_theirs(self) -> None:
        budget = Budget(1000, 100, lambda: 0.0)
        connections = [uploads_of(50, 80, budget.of("alice")) for _ in range(3)]
        assert connections[0].receive(part(0, 80, b"x" * 50)) == 50
        assert connections[1].receive(part(0, 80, b"x" * 50)) == 50
        with pytest.raises(ProtocolError) as refused:
            connections[2].receive(part(0, 80, b"x" * 50))
        assert refused.value.code is Code.TOO_MANY
        assert uploads_of(50, 80, budget.of("bob")).receive(part(0, 80, b"x" * 50)) == 50
        for connection in connections:
            connection.forget_all()
        assert budget.held == 50

    def test_a_batch_is_paid_for_until_the_work_with_it_is_done(self) -> None:
        now = 0.0
        budget = Budget(1000, 100, lambda: now)
        whole = uploads_of(50, 80, budget.of("alice")).receive(part(0, 3, b"abc"))
        now = 1e6
        budget.sweep()
        assert isinstance(whole, Whole)
        assert (whole.batch, budget.held) == (b"abc", 3)
        whole.lease.release()
        assert budget.held == 0

    @pytest.mark.parametrize("mistake", [part(3, 8, b"x"), part(2, 8, b"x" * 51), part(2, 8, b"x" * 20)])
    def test_a_mistake_gives_the_memory_back(self, mistake: Upload) -> None:
        budget = Budget(1000, 100, lambda: 0.0)
        uploads = uploads_of(50, 80, budget.of("alice"))
        uploads.receive(part(0, 8, b"ab"))
        with pytest.raises(ManyhandsError):
            uploads.receive(mistake)
        assert budget.held == 0

    def test_an_upload_that_nobody_goes_on_with_is_given_up_and_its_sender_is_told_to_begin_again(self) -> None:
        now = 0.0
        budget = Budget(1000, 100, lambda: now)
        uploads = uploads_of(50, 80, budget.of("alice"))
        uploads.receive(part(0, 4, b"ab"))
        now = 29.0
        budget.sweep()
        uploads.receive(part(2, 4, b"c"))
        now = 60.0
        budget.sweep()
        assert (uploads.held_bytes, budget.held) == (0, 0)
        with pytest.raises(GivenUp, match="Begin again"):
            uploads.receive(part(3, 4, b"d"))
        assert batch_of(uploads.receive(part(0, 2, b"ab"))) == b"ab"

    def test_one_that_comes_byte_by_byte_does_not_last_for_ever(self) -> None:
        now = 0.0
        budget = Budget(1000, 100, lambda: now)
        uploads = uploads_of(50, 80, budget.of("alice"))
        for at in range(2):
            uploads.receive(part(at, 80, b"x"))
            now += 20.0
            budget.sweep()
        assert budget.held == 0
