"""What peers lack is encoded once for all who ask for the same, and not much of it is kept."""

from typing import Any

from pycrdt import Doc, Text

from crdt.document import Document
from crdt.gate_limits import GateLimits
from crdt.update_reader import Inspected, inspect

EMPTY = b"\0"


class Author:
    """Writes updates, and knows the state vector before each."""

    def __init__(self) -> None:
        self._doc: Doc[Any] = Doc(client_id=1)
        self._text = self._doc.get("story", type=Text)

    def writes(self, words: str) -> Inspected:
        before = self._doc.get_state()
        self._text += words
        return inspect(self._doc.get_update(before), GateLimits())

    @property
    def state_vector(self) -> bytes:
        return bytes(self._doc.get_state())


def test_equal_questions_are_encoded_once_until_something_changes() -> None:
    author, document = Author(), Document()
    document.apply([author.writes("one")])
    answer = document.missing_for(EMPTY)
    assert document.missing_for(EMPTY) is answer
    document.apply([author.writes("two")])
    assert document.missing_for(EMPTY) != answer


def test_the_commonest_question_stays_while_others_come_and_go() -> None:
    author, document, vectors = Author(), Document(), []
    for _ in range(50):
        document.apply([author.writes("word ")])
        vectors.append(author.state_vector)
    fresh = document.missing_for(EMPTY)
    first = document.missing_for(vectors[0])
    for vector in vectors:
        document.missing_for(vector)
        assert document.missing_for(EMPTY) is fresh
    assert document.missing_for(vectors[0]) is not first


def test_large_answers_are_not_hoarded() -> None:
    author, document = Author(), Document()
    document.apply([author.writes("x")])
    early = author.state_vector
    document.apply([author.writes("long " * 150_000)])
    for_a_newcomer = document.missing_for(EMPTY)
    assert document.missing_for(EMPTY) is for_a_newcomer
    for_who_was_away = document.missing_for(early)
    assert document.missing_for(early) is for_who_was_away
    assert document.missing_for(EMPTY) is not for_a_newcomer
