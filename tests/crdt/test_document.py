"""The document in pycrdt: checked after each update, and its answers to peers cached."""

from typing import Any

import pytest
from pycrdt import Doc, Text

from crdt.log.document import FULL_CHECK_CLIENTS, MOST_PENDING, MOST_PENDING_BYTES, Damaged, Document
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect

EMPTY = b"\0"


class Author:
    """A writer of updates that knows the state vector before each update."""

    def __init__(self, client_id: int = 1) -> None:
        self._doc: Doc[Any] = Doc(client_id=client_id)
        self._text = self._doc.get("story", type=Text)

    def writes(self, words: str) -> Inspected:
        before = self._doc.get_state()
        self._text += words
        return inspect(self._doc.get_update(before), GateLimits())

    @property
    def state_vector(self) -> bytes:
        return bytes(self._doc.get_state())


def test_whoever_writes_and_however_far_a_replica_follows() -> None:
    authors = [Author(client_id) for client_id in (1, 127, 128, 16_384, 2**32 - 1, 2**53 - 1)]
    document = Document()
    for words in ("a", "b" * 126, "c", "d" * 16_300, "e"):
        for author in authors:
            document.follow(author.writes(words))
        for author in authors:
            document.follow(author.writes("together"))
        document.settle()
    assert set(document.clocks.values()) == {1 + 126 + 1 + 16_300 + 1 + 5 * len("together")}


@pytest.mark.parametrize("others", [0, 3, FULL_CHECK_CLIENTS - 2])
@pytest.mark.parametrize("known", [False, True])
def test_what_pycrdt_holds_back_is_noticed(others: int, known: bool) -> None:
    document, author = Document(), Author()
    for number in range(others):
        document.follow(Author(2 + number).writes("early"))
    if known:
        document.follow(author.writes("known"))
    document.settle()
    author.writes("lost")
    document.follow(author.writes("behind the gap"))
    with pytest.raises(Damaged):
        document.missing_for(EMPTY)


def text_of(document: Document) -> str:
    doc: Doc[Any] = Doc()
    doc.apply_update(document.missing_for(EMPTY))
    return str(doc.get("story", type=Text))


def test_what_is_followed_counts_at_once_and_is_there_for_whoever_asks() -> None:
    document, author, written = Document(), Author(), ""
    for number in range(2 * MOST_PENDING + 3):
        update = author.writes(f"{number} ")
        written += f"{number} "
        size = document.size
        document.follow(update)
        assert document.size == size + len(update.raw)
        assert document.state_vector() == author.state_vector
        assert document.clocks == {1: len(written)}
        if number % 50 == 7:
            assert text_of(document) == written
    assert text_of(document) == written


@pytest.mark.parametrize("words", [["x"] * MOST_PENDING, ["x" * MOST_PENDING_BYTES]])
def test_not_much_waits_to_be_applied(words: list[str]) -> None:
    document, author = Document(), Author()
    author.writes("lost")
    *first, last = [author.writes(each) for each in words]
    for update in first:
        document.follow(update)
    with pytest.raises(Damaged):
        document.follow(last)


def test_equal_questions_are_encoded_once_until_something_changes() -> None:
    author, document = Author(), Document()
    document.follow(author.writes("one"))
    answer = document.missing_for(EMPTY)
    assert document.missing_for(EMPTY) is answer
    document.follow(author.writes("two"))
    assert document.missing_for(EMPTY) != answer


def test_the_commonest_question_stays_while_others_come_and_go() -> None:
    author, document, vectors = Author(), Document(), []
    for _ in range(50):
        document.follow(author.writes("word "))
        vectors.append(author.state_vector)
    fresh = document.missing_for(EMPTY)
    first = document.missing_for(vectors[0])
    for vector in vectors:
        document.missing_for(vector)
        assert document.missing_for(EMPTY) is fresh
    assert document.missing_for(vectors[0]) is not first


def test_large_answers_are_not_hoarded() -> None:
    author, document = Author(), Document()
    document.follow(author.writes("x"))
    early = author.state_vector
    document.follow(author.writes("long " * 150_000))
    for_a_newcomer = document.missing_for(EMPTY)
    assert document.missing_for(EMPTY) is for_a_newcomer
    for_who_was_away = document.missing_for(early)
    assert document.missing_for(early) is for_who_was_away
    assert document.missing_for(EMPTY) is not for_a_newcomer
