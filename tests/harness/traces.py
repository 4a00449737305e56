"""Editing traces of real people (tests/traces), typed again by pycrdt."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycrdt import Doc, Text, TransactionEvent

TRACES = Path(__file__).parents[1] / "traces"

Patch = tuple[int, int, str]
"""Position, number of deleted characters, inserted text."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One text's history, which begins empty. `edits` are patches in the order of typing."""

    edits: list[Patch]
    end: str

    def beginning(self, count: int) -> "Trace":
        """Return the history up to a number of edits."""
        text = ""
        for at, deleted, inserted in self.edits[:count]:
            text = text[:at] + inserted + text[at + deleted :]
        return Trace(self.edits[:count], text)


def read_trace(name: str) -> Trace:
    """Unpack a trace of ASCII text, whose positions are the same in every encoding."""
    raw = json.loads(gzip.decompress((TRACES / f"{name}.json.gz").read_bytes()))
    assert raw["startContent"] == ""
    assert raw["endContent"].isascii()
    edits = [(at, deleted, text) for each in raw["txns"] for at, deleted, text in each["patches"]]
    return Trace(edits, raw["endContent"])


def updates_of(trace: Trace, root: str) -> Iterator[bytes]:
    """Type the trace into a text, and yield each keystroke's update, as an editor would send it."""
    doc: Doc[Any] = Doc()
    text = doc.get(root, type=Text)
    made: list[bytes] = []

    def made_one(event: TransactionEvent) -> None:
        made.append(event.update)

    subscription = doc.observe(made_one)
    for at, deleted, inserted in trace.edits:
        with doc.transaction():
            if deleted:
                del text[at : at + deleted]
            if inserted:
                text.insert(at, inserted)
        yield from made
        made.clear()
    doc.unobserve(subscription)
