"""Order of taking in an update's structs: each after the structs that it refers to, in slices.

An update lists its structs by client id. A struct may refer to another client id's struct that
comes later in the bytes. So the structs of a client id are taken in up to the first with an unknown
reference. Then the structs that it refers to are taken in. The event loop may turn between two
slices.
"""

from collections.abc import Callable, Iterator, Mapping

from crdt.errors import Code, ProtocolError
from crdt.yjs.reader import Inspected, Struct
from crdt.yjs.values import bad_update

SLICE = 512
"""Structs that are taken in between two pauses: 2 to 5 ms."""

RANGES_AT_ONCE = 16 * 2**10
"""Deleted ranges that are taken in between two pauses. A range costs less among many."""

UPDATES_AT_ONCE = 128
"""Updates that are taken in between two pauses."""


class Cursor:
    """One client id's structs of an update, and how many of them have been taken in."""

    __slots__ = ("client", "index", "structs")

    def __init__(self, client: int, structs: list[Struct]) -> None:
        self.client = client
        self.structs = structs
        self.index = 0

    def before(self, clock: int) -> bool:
        """Whether a struct that begins before this clock is left to take in."""
        return self.index < len(self.structs) and self.structs[self.index][0] < clock


Advance = Callable[[Cursor, int], tuple[int, int] | None]
"""A function that takes in at most a slice of a client id's structs, up to a clock.

It returns the unknown id that the next struct refers to, or None.
"""


def take_in_order(update: Inspected, clocks: Mapping[int, int], advance: Advance) -> Iterator[None]:
    """Take in all structs of an update, and pause between slices.

    Raises ProtocolError: `missing_past` if a reference is unknown, and `bad_update` if structs
    refer to one another in a circle.
    """
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
        # A depth-first search with an explicit stack, because strangers choose the depth. A client
        # id that is waiting for another may not be needed again: that would be a circle.
        stack = [(client, end)]
        waiting = {client}
        while stack:
            current, target = stack[-1]
            taken = cursors[current].index
            needed = advance(cursors[current], target)
            steps += cursors[current].index - taken + 1  # a visit that takes nothing costs time too
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
    """Return the refusal of an update that refers to something unknown."""
    return ProtocolError(
        Code.MISSING_PAST, "The update builds on changes the server has never seen. Join again and send what it lacks."
    )
