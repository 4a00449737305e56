"""Whom a first line is for: what is read out of it, and which worker comes first."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.workers.places import (
    MAX_LINE_BYTES,
    Anywhere,
    Document,
    Place,
    Session,
    best_first,
    place_named,
    session_mark,
)

WORKERS = (1, 2, 3, 4)
NAMES = [f"document-{number}" for number in range(400)]


def line(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n".encode()


@pytest.mark.parametrize(
    ("head", "place"),
    [
        (line("/socket.io/?document=notes-of-ann&EIO=4&transport=websocket"), Document("notes-of-ann")),
        (line("/socket.io/?EIO=4&transport=polling&document=notes%2Dof%2Dann"), Document("notes-of-ann")),
        (line(f"/socket.io/?document=notes&sid={session_mark(3)}Ab-_9"), Session(3)),
        (line("/socket.io/?document=notes&sid=of-another-server"), Document("notes")),
        (line("/socket.io/?document=notes&sid=99999.x"), Document("notes")),
        (line("/socket.io/?document=notes&sid=%D9%A3.x"), Document("notes")),
        (line("/socket.io/?document=&sid="), Anywhere()),
        (line("/socket.io/"), Anywhere()),
        (line("/socket.io/?" + "&".join(["document=notes"] * 100)), Anywhere()),
        (line("/api/documents?document=notes"), Anywhere()),
        (b"\r\n\r\n" + line("/socket.io/?document=notes"), Document("notes")),
        (b"POST /socket.io/?document=notes HTTP/1.1\nHost", Document("notes")),
        (b"nothing that we know\r\n", Anywhere()),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", Anywhere()),
        (b"GET /" + b"x" * MAX_LINE_BYTES, Anywhere()),
        (b"", None),
        (b"\r\n", None),
        (b"GET /socket.io/?document=notes HTTP/1.1\r", None),
    ],
)
def test_the_first_line_tells_the_place(head: bytes, place: Place | None) -> None:
    assert place_named(head) == place


@given(
    st.binary(max_size=200) | st.binary(max_size=100).map(lambda query: b"GET /socket.io/?" + query + b" HTTP/1.1\n")
)
def test_any_bytes_have_a_place_or_are_to_be_continued(head: bytes) -> None:
    assert isinstance(place_named(head), Session | Document | Anywhere | None)
    assert place_named(head + b"x\n" + b"x" * MAX_LINE_BYTES) is not None


@given(st.integers(0, 60))
def test_a_line_in_pieces_is_read_when_it_is_whole(cut: int) -> None:
    whole = b"GET /socket.io/?document=notes HTTP/1.1\r\n"
    assert (place_named(whole[:cut]) is None) == (cut < len(whole))


def test_documents_are_spread_and_stay_where_they_are() -> None:
    first = {name: best_first(Document(name), WORKERS, turn)[0] for turn, name in enumerate(NAMES)}
    assert first == {name: best_first(Document(name), WORKERS, 0)[0] for name in NAMES}
    assert min(Counter(first.values()).values()) > len(NAMES) / len(WORKERS) / 2


def test_a_worker_that_goes_moves_its_own_documents_and_no_others() -> None:
    for name in NAMES:
        order = best_first(Document(name), WORKERS, 0)
        assert best_first(Document(name), [each for each in WORKERS if each != order[0]], 0) == order[1:]


def test_a_session_is_for_one_worker_while_that_is_there() -> None:
    assert best_first(Session(2), WORKERS, 7) == [2]
    assert sorted(best_first(Session(9), WORKERS, 7)) == list(WORKERS)


def test_everything_else_goes_round() -> None:
    assert [best_first(Anywhere(), WORKERS, turn)[0] for turn in range(5)] == [1, 2, 3, 4, 1]
    assert best_first(Anywhere(), [], 5) == []
