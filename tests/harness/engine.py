"""A document engine that fails with the updates that a test chooses.

pycrdt has failed with updates that nobody had thought of.
"""

from collections.abc import Callable
from typing import Any

from pycrdt import Doc, Text

from crdt.log.document import apply_update


class Panic(BaseException):
    """A panic, which is no `Exception`, as in pycrdt."""


def refuses(doc: Doc[Any], update: bytes) -> None:
    """Fail without reading the update, so that nothing has happened."""
    raise ValueError("Cannot decode update")


def panics(doc: Doc[Any], update: bytes) -> None:
    """Fail in the middle, so that a part of the update is in the document."""
    apply_update(doc, update)
    doc.get("left behind", type=Text).insert(0, "debris")
    raise Panic


def loses(doc: Doc[Any], update: bytes) -> None:
    """Fail without an error, so that nothing of the update is in the document."""


FAILURES: tuple[Callable[[Doc[Any], bytes], None], ...] = (refuses, panics, loses)


class Choosy:
    """An engine that fails with updates that hold certain words. `failures` counts the failures."""

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
