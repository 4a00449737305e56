"""Edits that can be told apart wherever they turn up: hand-written Yjs v1 updates with a number in their text.

A server may merge updates or send many at once; what counts is which numbers are in the bytes that
reach somebody. The text is ASCII, so that its length is the same in every encoding, and a run of
one person's edits stays legible when a server joins their items into one.
"""

import re
from functools import lru_cache
from random import Random

from tests.harness.update_writer import number as varuint
from tests.harness.update_writer import text, update

ROOT = "bench"
_MARKER = re.compile(rb"#([0-9]{7})")
MARKER_BYTES = 8


def marker(number: int) -> str:
    """How an edit, or a cursor, says its number."""
    return f"#{number:07}"


@lru_cache(maxsize=2048)
def numbers_in(payload: bytes) -> tuple[int, ...]:
    """The numbers in some bytes. Servers send the same bytes to many members, so they are looked through once."""
    return tuple(map(int, _MARKER.findall(payload)))


class Pen:
    """Writes one client's edits, each behind the one before: one Yjs item per edit, as an editor sends it.

    `padding`: by how many characters an edit is longer than its number. `scattered`: each edit goes
    behind any one of the earlier ones, as corrections do, and not behind the last.
    """

    def __init__(self, client_id: int, padding: int = 0, *, scattered: bool = False) -> None:
        self.client_id = client_id
        self.clock = 0
        self._client = varuint(client_id)
        self._padding = "." * padding
        self._step = MARKER_BYTES + padding
        self._length = varuint(self._step)
        self._chance = Random(client_id) if scattered else None

    def write(self, number: int) -> bytes:
        """The update of the next edit."""
        content = marker(number) + self._padding
        if self.clock and self._chance is not None:
            behind = self._step * self._chance.randint(1, self.clock // self._step)
            made = b"\1\1" + self._client + varuint(self.clock) + (b"\xc4" if behind < self.clock else b"\x84")
            made += self._client + varuint(behind - 1)
            made += self._client + varuint(behind) if behind < self.clock else b""
            made += self._length + content.encode() + b"\0"
        elif self.clock:
            made = b"\1\1" + self._client + varuint(self.clock) + b"\x84" + self._client + varuint(self.clock - 1)
            made += self._length + content.encode() + b"\0"
        else:
            made = update({self.client_id: (0, [text(content, parent=ROOT)])})
        self.clock += len(content)
        return made
