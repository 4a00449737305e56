"""Typing runs: a fast way for edits that continue their author's last one, as nearly all edits do.

Such an edit is read by comparing its bytes with the bytes that it must have. Its origin is the last
character of the run, and its right origin is the run's. So the edit has the run's place, which the
gate has judged before. An edit that differs by one bit is read and judged like every other update
(crdt/gate/gate.py).

A run begins when the gate lets an update of one new text in. The run is useless as soon as its
author does anything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from crdt.gate.admission import Admission, MayWrite, taken
from crdt.gate.places import NOWHERE, Places
from crdt.yjs.contents import STRING
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, Struct
from crdt.yjs.varint import MAX_CLOCK, varuint

MOST_RUNS = 1024
"""Runs that are remembered. One more makes the table forget all of them."""

_ONE_CLIENT_ONE_STRUCT = b"\1\1"
_ORIGIN, _RIGHT_ORIGIN = 0x80, 0x40


client_bytes = lru_cache(maxsize=4096)(varuint)  # browsers' client ids take five bytes, which are slow to write


class TypingRun(msgspec.Struct, eq=False):
    """Text that one client id has typed in one place.

    Attributes:
        own: the client id as a varUint.
        end: the clock behind the last character.
        between: the bytes of an edit between its clock and its origin's clock.
        right: client id and clock of the right origin, or (-1, -1).
        right_id: the right origin as bytes, or no bytes.
        quiet_at: the gate's `Deletions.changes` when the run was last found to stand among living
            words that were never moved.
    """

    client: int
    own: bytes
    end: int
    between: bytes
    right: tuple[int, int]
    right_id: bytes
    quiet_at: int = -1

    def head(self, clock: int) -> bytes:
        """Return the bytes between the client id and the text of an edit that begins at `clock`."""
        return varuint(clock) + self.between + varuint(clock - 1) + self.right_id

    def struct(self, clock: int, end: int) -> Struct:
        """Return the struct of an edit with these clocks, as crdt/yjs/reader.py would."""
        return (clock, end, STRING, self.client, clock - 1, *self.right, None, ())


class Keystroke(Inspected, kw_only=True):
    """An update that continues a run. `text` is the typed text, in ASCII."""

    run: TypingRun
    text: bytes


class TypingRuns:
    """The runs of one document. Can be pickled."""

    __slots__ = ("_longest", "_runs")

    def __init__(self, limits: GateLimits) -> None:
        self._longest = min(limits.update_bytes, 0x7F)
        """Most bytes of an update, so that its length and its text's length take one byte each."""
        self._runs: dict[bytes, TypingRun] = {}
        """Runs by client id as a varUint."""

    def read(self, batch: bytes) -> Keystroke | None:
        """Read a batch of one update that continues a run. Return None for every other batch."""
        size = len(batch) - 1
        if not 3 < size <= self._longest or batch[0] != size or batch[-1]:
            return None  # not a single update, or an update with deletions
        # The layout: the update's length, one client, one struct, then the client id at offset 3.
        at = 3
        while batch[at] > 0x7F:  # ends inside the batch, because the last byte is 0
            at += 1
        at += 1
        run = self._runs.get(batch[3:at])
        if run is None or not batch.startswith(_ONE_CLIENT_ONE_STRUCT, 1):
            return None
        # Every field but the text follows from the run, so comparing bytes parses the update. A
        # varUint has one encoding only, so no other bytes can mean the same edit.
        clock = run.end
        head = run.head(clock)
        begin = at + len(head) + 1  # behind the one byte of the text's length
        text = batch[begin:-1]
        length = len(text)
        end = clock + length
        if (
            not text
            or batch[begin - 1] != length
            or not batch.startswith(head, at)
            or not text.isascii()  # otherwise the number of clocks is not the number of bytes
            or end > MAX_CLOCK
        ):
            return None
        raw = batch[1:]
        return Keystroke(raw, raw, [(run.client, clock, end)], [[run.struct(clock, end)]], (), run=run, text=text)

    def admit(self, updates: Sequence[Inspected], clocks: dict[int, int], may_write: MayWrite) -> Admission | None:
        """Let a keystroke in if its author has done nothing else since it was read.

        Return None for all other updates, which the gate must judge. Raises
        ProtocolError(client_id_taken), and then nothing has changed.
        """
        update = updates[0] if len(updates) == 1 else None
        if not isinstance(update, Keystroke):
            return None
        run, (client, first, end) = update.run, update.clients[0]
        if self._runs.get(run.own) is not run or not first == run.end == clocks[client]:
            return None
        if not may_write(client):
            raise taken()
        clocks[client] = run.end = end
        return Admission(news=True, new_clients=(), writes=(client,))

    def expect(self, update: Inspected, touched: Mapping[int, tuple[int, int, int]], places: Places) -> None:
        """Begin a run behind an admitted update, if the update is one new text in a sequence.

        `touched` has the clock before the update as its first number, by client id.
        """
        if len(update.structs) != 1 or len(update.structs[0]) != 1 or update.structs[0][0][2] != STRING:
            return
        client, first, _ = update.clients[0]
        place = places.of(client, first)
        if place != NOWHERE and not place & 1 and first == touched[client][0]:
            self.begin(client, update.structs[0][0])

    def begin(self, client: int, struct: Struct) -> None:
        """Begin a run behind a new text in a sequence."""
        _, end, _, _, _, right, right_clock, _, _ = struct
        own = client_bytes(client)
        if len(self._runs) >= MOST_RUNS:
            self._runs.clear()
        info, right_id = _ORIGIN | STRING, b""
        if right >= 0:
            info, right_id = info | _RIGHT_ORIGIN, client_bytes(right) + varuint(right_clock)
        self._runs[own] = TypingRun(client, own, end, bytes((info,)) + own, (right, right_clock), right_id)


def join_keystrokes(updates: Iterable[Inspected]) -> tuple[Inspected, ...]:
    """Join the keystrokes of each run that follow on one another into one update.

    The joined update means exactly the same to every reader. A keystroke moves in front of the
    updates of others that came before it. This is sound, because it builds only on its run.
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
    return Keystroke(raw, raw, [(client, clock, end)], [[run.struct(clock, end)]], (), run=run, text=text)
