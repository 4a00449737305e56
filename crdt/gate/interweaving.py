"""The order in which an update's structs are taken in: each after those it refers to, a slice at a time.

An update lists its structs by client id, and those of one client id may refer to those of another
that come later in the bytes. So the structs of each client id are taken in up to one whose
reference is not known yet; then come the structs that are missing. Between two slices the event
loop may turn.
"""

from collections.abc import Callable, Iterator, Mapping

from crdt.errors import Code, ProtocolError
from crdt.yjs.reader import Inspected, Struct
from crdt.yjs.values import bad_update

SLICE = 512
"""Structs that are taken in at a time: 2 to 5 ms."""


RANGES_AT_ONCE = 16 * 2**10
"""Deleted ranges that are taken in between two pauses: many at once cost less than one after the other."""

UPDATES_AT_ONCE = 128
"""Updates that are taken in between two pauses."""


class Cursor:
    """How far one client id's structs of an update have been taken in."""

    __slots__ = ("client", "index", "structs")

    def __init__(self, client: int, structs: list[Struct]) -> None:
        self.client = client
        self.structs = structs
        self.index = 0

    def before(self, clock: int) -> bool:
        """Whether a struct is left that begins before this clock."""
        return self.index < len(self.structs) and self.structs[self.index][0] < clock


Advance = Callable[[Cursor, int], tuple[int, int] | None]
"""Takes in at most a slice of a client id's structs up to a clock; returns the id that it lacks for the next one, if it lacks any."""


def take_in_order(update: Inspected, clocks: Mapping[int, int], advance: Advance) -> Iterator[None]:
    """Take in all structs of an update, and pause between slices; raises ProtocolError when something is missing, or in a circle."""
    if len(update.structs) == 1:
        client, first, end = update.clients[0]
        if first > clocks.get(client, 0):
            raise missing_past()
        cursor = Cursor(client, update.structs[0])
        while cursor.before(end):
            if advance(cursor, end) is not None:
                raise missing_past()
            if cursor.before(end):
                yield
    elif update.structs:
        yield from _take_interwoven(update, clocks, advance)


def _take_interwoven(update: Inspected, clocks: Mapping[int, int], advance: Advance) -> Iterator[None]:
    cursors: dict[int, Cursor] = {}
    for (client, first, _), structs in zip(update.clients, update.structs, strict=True):
        if first > clocks.get(client, 0):
            raise missing_past()
        cursors[client] = Cursor(client, structs)
    steps = 0
    for client, _, end in update.clients:
        stack = [(client, end)]
        waiting = {client}
        while stack:
            current, target = stack[-1]
            taken = cursors[current].index
            needed = advance(cursors[current], target)
            steps += cursors[current].index - taken + 1
            if steps >= SLICE:
                steps = 0
                yield
            if needed is None:
                if not cursors[current].before(target):
                    stack.pop()
                    waiting.discard(current)
                continue
            if needed[0] in waiting:
                raise bad_update("Structs refer to one another in a circle.")
            if needed[0] not in cursors or needed[1] >= cursors[needed[0]].structs[-1][1]:
                raise missing_past()
            stack.append((needed[0], needed[1] + 1))
            waiting.add(needed[0])


def missing_past() -> ProtocolError:
    """The refusal of what refers to something unknown."""
    return ProtocolError(
        Code.MISSING_PAST, "The update builds on changes the server has never seen. Join again and send what it lacks."
    )
