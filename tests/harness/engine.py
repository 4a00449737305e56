"""A document engine that fails with the updates that a test chooses, as pycrdt has failed with some that nobody had thought of."""

from collections.abc import Callable
from typing import Any

from pycrdt import Doc, Text

from crdt.log.document import apply_update


class Panic(BaseException):
    """What pycrdt's panics are: no `Exception`."""


def refuses(doc: Doc[Any], update: bytes) -> None:
    """Not even read: nothing has happened."""
    raise ValueError("Cannot decode update")


def panics(doc: Doc[Any], update: bytes) -> None:
    """In the middle: something of it is in the document."""
    apply_update(doc, update)
    doc.get("left behind", type=Text).insert(0, "debris")
    raise Panic


def loses(doc: Doc[Any], update: bytes) -> None:
    """Without a word: nothing of it is in the document."""


FAILURES: tuple[Callable[[Doc[Any], bytes], None], ...] = (refuses, panics, loses)


class Choosy:
    """Applies updates, but fails with those that hold one of some words. `failures`: how often it has."""

    def __init__(self, *words: str, fails: Callable[[Doc[Any], bytes], None] = panics) -> None:
        self.words = {word.encode() for word in words}
        self.failures = 0
        self._fails = fails

    def __call__(self, doc: Doc[Any], update: bytes) -> None:
        if any(word in update for word in self.words):
            self.failures += 1
            self._fails(doc, update)
        else:
            apply_update(doc, update)
