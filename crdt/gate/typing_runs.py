"""Where authors are expected to type on: nearly every edit is one more character behind the author's last one.

Such an edit is read by comparing its bytes with those that it must have, and let in by what the
gate has found out about the one before: its origin is the last character of a run, its right origin
the run's, and so it lives where the run lives. What differs by a bit is read and judged like
everything else (crdt/gate/gate.py).

A run begins when an update of one new text is let in, and is of no more use when its author does
anything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crdt.gate.admission import Admission, MayWrite, check_author
from crdt.gate.places import NOWHERE, Places
from crdt.yjs.contents import STRING
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, Struct
from crdt.yjs.state_vector import MAX_CLOCK
from crdt.yjs.varint import varuint

MOST_RUNS = 1024
"""Remembered at once; with one more, all begin anew."""

_ONE_CLIENT_ONE_STRUCT = b"\1\1"
_ORIGIN, _RIGHT_ORIGIN = 0x80, 0x40


@dataclass(slots=True, eq=False)
class TypingRun:
    """What one client id has typed in one place, up to `end`.

    Attributes:
        own: the client id as it is written.
        between: what an edit has between its clock and its origin's.
        right: client id and clock of the right origin; -1: none.
        right_id: the same as bytes.
    """

    client: int
    own: bytes
    end: int
    between: bytes
    right: tuple[int, int]
    right_id: bytes

    def head(self, clock: int) -> bytes:
        """What stands between client id and text in an edit that begins at this clock."""
        return varuint(clock) + self.between + varuint(clock - 1) + self.right_id

    def struct(self, clock: int, end: int) -> Struct:
        """What such an edit says."""
        return (clock, end, STRING, self.client, clock - 1, *self.right, None, ())


@dataclass(slots=True)
class Keystroke(Inspected):
    """An update that goes on with a run. `text`: what is typed, in plain ASCII."""

    run: TypingRun
    text: bytes


class TypingRuns:
    """The runs of one document. Can be pickled."""

    __slots__ = ("_longest", "_runs")

    def __init__(self, limits: GateLimits) -> None:
        self._longest = min(limits.update_bytes, 0x7F)
        """Bytes of an update whose length, and whose text's length, take one byte."""
        self._runs: dict[bytes, TypingRun] = {}
        """By client id, as it is written."""

    def read(self, batch: bytes) -> Keystroke | None:
        """Read a batch of one update that continues a run. Return None for every other batch."""
        size = len(batch) - 1
        if not 3 < size <= self._longest or batch[0] != size or batch[-1]:
            return None  # not one update, or one that deletes
        at = 3
        while batch[at] > 0x7F:  # the last byte is not
            at += 1
        at += 1
        run = self._runs.get(batch[3:at])
        if run is None or not batch.startswith(_ONE_CLIENT_ONE_STRUCT, 1):
            return None
        clock = run.end
        head = run.head(clock)
        begin = at + len(head) + 1
        text = batch[begin:-1]
        length = len(text)
        end = clock + length
        if (
            not text
            or batch[begin - 1] != length
            or not batch.startswith(head, at)
            or not text.isascii()
            or end > MAX_CLOCK
        ):
            return None
        raw = batch[1:]
        return Keystroke(raw, raw, [(run.client, clock, end)], [[run.struct(clock, end)]], (), run, text)

    def admit(self, updates: Sequence[Inspected], clocks: dict[int, int], may_write: MayWrite) -> Admission | None:
        """Let one keystroke in whose author has done nothing else since it was read; None: to be judged like everything else.

        Raises ProtocolError(client_id_taken), and nothing has changed.
        """
        update = updates[0] if len(updates) == 1 else None
        if not isinstance(update, Keystroke):
            return None
        run, (client, first, end) = update.run, update.clients[0]
        if self._runs.get(run.own) is not run or not first == run.end == clocks[client]:
            return None
        check_author(client, may_write)
        clocks[client] = run.end = end
        return Admission(news=True, new_clients=(), writes=(client,))

    def expect(self, update: Inspected, touched: Mapping[int, tuple[int, int, int]], places: Places) -> None:
        """Begin a run behind an update that was let in, if it is one text, new from its beginning, in a sequence beside its neighbours.

        `touched`: the clocks before it, first of all, by client id.
        """
        if len(update.structs) != 1 or len(update.structs[0]) != 1 or update.structs[0][0][2] != STRING:
            return
        client, first, _ = update.clients[0]
        place = places.of(client, first)
        if place != NOWHERE and not place & 1 and first == touched[client][0]:
            self._begin(client, update.structs[0][0])

    def _begin(self, client: int, struct: Struct) -> None:
        _, end, _, _, _, right, right_clock, _, _ = struct
        own = varuint(client)
        if len(self._runs) >= MOST_RUNS:
            self._runs.clear()
        info, right_id = _ORIGIN | STRING, b""
        if right >= 0:
            info, right_id = info | _RIGHT_ORIGIN, varuint(right) + varuint(right_clock)
        self._runs[own] = TypingRun(client, own, end, bytes((info,)) + own, (right, right_clock), right_id)


def join_keystrokes(updates: Iterable[Inspected]) -> tuple[Inspected, ...]:
    """Make one update of what an author has typed in one go: the same to the letter, for whoever reads it.

    A keystroke moves before what others have done since the one before, for it builds on nothing
    but its run.
    """
    joined: list[Inspected | list[Keystroke]] = []
    going_on: dict[TypingRun, list[Keystroke]] = {}
    for update in updates:
        if not isinstance(update, Keystroke):
            joined.append(update)
            continue
        typed = going_on.get(update.run)
        if typed is not None and typed[-1].clients[0][2] == update.clients[0][1]:
            typed.append(update)
        else:
            typed = going_on[update.run] = [update]
            joined.append(typed)
    return tuple([_joined(each) if isinstance(each, list) else each for each in joined])


def _joined(typed: Sequence[Keystroke]) -> Keystroke:
    first, last = typed[0], typed[-1]
    if first is last:
        return first
    run, (client, clock, _) = first.run, first.clients[0]
    end = last.clients[0][2]
    text = b"".join([each.text for each in typed])
    raw = b"".join((_ONE_CLIENT_ONE_STRUCT, run.own, run.head(clock), varuint(len(text)), text, b"\0"))
    return Keystroke(raw, raw, [(client, clock, end)], [[run.struct(clock, end)]], (), run, text)
