"""Joining: what one session wrote between two rows becomes one update, with the very same structs.

The joined update means the same to every reader, and spares each of them an update for each edit.

1. Only plain edits are joined: one text without surrogate pairs, or deletions, or both. The
   document engine takes many of them in one transaction.
2. A joined edit moves in front of what others wrote since the session's first one. So it may refer
   to nothing that came in the same row, except under its own client id.
3. Keystrokes of one run that follow on one another become a single text.
"""

from collections.abc import Iterable, Sequence
from math import inf

from crdt.gate.shapes import MOST_TEXTS
from crdt.gate.typing_runs import Keystroke, client_bytes
from crdt.yjs.contents import STRING
from crdt.yjs.reader import Inspected, Struct
from crdt.yjs.varint import sized, varuint
from crdt.yjs.writing import write_update

MOST_BYTES = 8 * 2**10
"""Bytes of an edit above which it is left alone, so that what is joined is soon applied."""


class Joined(Inspected, kw_only=True):
    """Several edits of one session as one update. `parts` are the edits, in their order."""

    parts: tuple[Inspected, ...]


class _Writing:
    """What one session has written so far in a row, as far as it can be joined."""

    def __init__(self, first: Inspected) -> None:
        self.parts = [first]
        self.client, _, self.end = first.clients[0] if first.clients else (-1, 0, 0)

    def goes_on(self, update: Inspected, begun: dict[int, int]) -> bool:
        """Whether an edit can be joined to this.

        `begun`: the first clock that came in the row, by client id.
        """
        if len(self.parts) >= MOST_TEXTS:
            return False
        own, end = self.client, self.end
        if update.clients:
            client, first, end = update.clients[0]
            # Nothing under its client id may stand in the row behind this, or else between.
            if client in begun if own < 0 else (client, first) != (own, self.end):
                return False
            own, last = client, self.parts[-1]
            if type(update) is Keystroke and type(last) is Keystroke and last.run is update.run:
                return True
            _, _, _, origin, origin_clock, right, right_clock, _, _ = update.structs[0][0]
            if (origin != own and origin_clock >= begun.get(origin, inf)) or (
                right != own and right_clock >= begun.get(right, inf)
            ):
                return False
        for client, ranges in update.deletions:
            known = end if client == own else begun.get(client, inf)
            if max([last for _, last in ranges]) > known:
                return False
        return True

    def joined(self) -> Inspected:
        """Return one update with everything."""
        if len(self.parts) == 1:
            return self.parts[0]
        structs: list[Struct] = []
        raws: list[bytes] = []
        gone: dict[int, list[tuple[int, int]]] = {}
        for struct, raw in _texts(self.parts):
            structs.append(struct)
            raws.append(raw)
        for part in self.parts:
            for client, ranges in part.deletions:
                gone.setdefault(client, []).extend(ranges)
        deletions = tuple([(client, _merged(gone[client])) for client in sorted(gone, reverse=True)])
        first = structs[0][0] if structs else 0
        update = write_update(
            {self.client: (first, raws)} if structs else {},
            [(client, start, end) for client, ranges in deletions for start, end in ranges],
        )
        clients = [(self.client, first, self.end)] if structs else []
        return Joined(update, update, clients, [structs] if structs else [], deletions, parts=tuple(self.parts))


def join(said: Iterable[tuple[object, Inspected]]) -> tuple[Inspected, ...]:
    """Join what each session has said in a row. `said`: sessions and their updates."""
    row: list[_Writing] = []
    going_on: dict[object, _Writing] = {}
    begun: dict[int, int] = {}
    for session, update in said:
        writing = going_on.pop(session, None)
        is_plain = type(update) is Keystroke or _is_plain(update)
        if writing is not None and is_plain and writing.goes_on(update, begun):
            writing.parts.append(update)
            if update.clients:
                writing.client, _, writing.end = update.clients[0]
        else:
            writing = _Writing(update)
            row.append(writing)
        if is_plain:
            going_on[session] = writing
        for client, first, _ in update.clients:
            if client not in begun:
                begun[client] = first
    return tuple([writing.joined() for writing in row])


def _is_plain(update: Inspected) -> bool:
    if len(update.raw) > MOST_BYTES or len(update.structs) > 1:
        return False
    if not update.structs:
        return True
    struct = update.structs[0][0]
    return len(update.structs[0]) == 1 and struct[2] == STRING and struct[7] is None and not struct[8]


def _texts(parts: Sequence[Inspected]) -> Iterable[tuple[Struct, bytes]]:
    """Yield the structs of plain edits and their bytes. Keystrokes of one run are one struct."""
    typed: list[Keystroke] = []
    for part in parts:
        if typed and part.structs and not (isinstance(part, Keystroke) and part.run is typed[0].run):
            yield _typed(typed)
            typed = []
        if isinstance(part, Keystroke):
            typed.append(part)
        elif part.structs:
            client, clock, _ = part.clients[0]
            begin = 2 + len(client_bytes(client)) + len(varuint(clock))  # behind two counts of one
            yield part.structs[0][0], part.raw[begin : part.deletions_at]
    if typed:
        yield _typed(typed)


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return ranges in order, those that touch as one."""
    if len(ranges) == 1:
        return tuple(ranges)
    ranges.sort()
    merged = [ranges[0]]
    for start, end in ranges:
        first, last = merged[-1]
        if start > last:
            merged.append((start, end))
        elif end > last:
            merged[-1] = (first, end)
    return tuple(merged)


def _typed(typed: Sequence[Keystroke]) -> tuple[Struct, bytes]:
    run, clock, end = typed[0].run, typed[0].clients[0][1], typed[-1].clients[0][2]
    text = b"".join([each.text for each in typed])
    return run.struct(clock, end), run.between + varuint(clock - 1) + run.right_id + sized(text)
