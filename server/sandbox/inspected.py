"""What the gate found in an update, as flat arrays of integers: the server reads them in a tenth of the time that finding took.

An update is six parts: the number of its values and its clients (id, first clock, end, structs),
structs (seven integers and an index into the parents, -1: none), the surrogates of those structs
that have any (struct, number, clocks), the parents (JSON), deletions (client id, ranges, their
borders), and the engine's form (empty: the bytes themselves).
"""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice

from crdt.errors import InvariantError
from crdt.gate.gate import GateLimits, Inspected
from crdt.yjs.reader import Parent, Struct

PARTS = 6
_STRUCT_INTEGERS = 8


def encode_limits(limits: GateLimits) -> bytes:
    """Write the gate's limits."""
    fields = asdict(limits)
    fields["fragment_roots"] = sorted(limits.fragment_roots)
    return json.dumps(fields).encode()


def decode_limits(data: bytes) -> GateLimits:
    """Read what `encode_limits` wrote; the server wrote it, so it is trusted."""
    fields = json.loads(data)
    fields["fragment_roots"] = frozenset(fields["fragment_roots"])
    return GateLimits(**fields)


def encode(inspected: Inspected) -> list[bytes]:
    """Write one update's findings, all but its own bytes."""
    structs, surrogates = array("q"), array("q")
    parents: dict[Parent, int] = {}
    index = 0
    for of_client in inspected.structs:
        for struct in of_client:
            parent, lows = struct[7], struct[8]
            structs.extend(struct[:7])
            structs.append(-1 if parent is None else parents.setdefault(parent, len(parents)))
            if lows:
                surrogates.extend((index, len(lows), *lows))
            index += 1
    clients = array("q", [inspected.values])
    for client, of_client in zip(inspected.clients, inspected.structs, strict=True):
        clients.extend((*client, len(of_client)))
    deletions = array("q")
    for author, ranges in inspected.deletions:
        deletions.extend((author, len(ranges)))
        for borders in ranges:
            deletions.extend(borders)
    return [
        clients.tobytes(),
        structs.tobytes(),
        surrogates.tobytes(),
        json.dumps(list(parents)).encode(),
        deletions.tobytes(),
        b"" if inspected.engine is inspected.raw else inspected.engine,
    ]


def decode(raw: bytes, parts: Sequence[bytes]) -> Inspected:
    """Read the findings about `raw`; raises InvariantError for anything that `encode` does not write."""
    try:
        values, *integers = _integers(parts[0])
        clients = list(zip(*[iter(integers)] * 4, strict=True))
        structs = iter(_structs(parts))
        counts = [client[3] for client in clients]
        by_client = [list(islice(structs, count)) for count in counts]
        if [len(of_client) for of_client in by_client] != counts or next(structs, None) is not None:
            raise ValueError
        deletions = tuple(_deletions(iter(_integers(parts[4]))))
    except (ValueError, IndexError, TypeError, StopIteration, RuntimeError, RecursionError) as error:
        raise InvariantError("The sandbox's findings have an unknown form.") from error
    return Inspected(raw, parts[5] or raw, [client[:3] for client in clients], by_client, deletions, values=values)


def _structs(parts: Sequence[bytes]) -> list[Struct]:
    parents = [_parent(value) for value in json.loads(parts[3])]
    parents.append(None)  # index -1
    integers = _integers(parts[1])
    *columns, of_parents = (integers[column::_STRUCT_INTEGERS] for column in range(_STRUCT_INTEGERS))
    lows: list[tuple[int, ...]] = [()] * len(of_parents)
    for index, clocks in _surrogates(iter(_integers(parts[2]))):
        lows[index] = clocks
    # Column by column: the tuples are built without a line of Python for each.
    return list(zip(*columns, map(parents.__getitem__, of_parents), lows, strict=True))


def _parent(value: object) -> Parent:
    match value:
        case str():
            return value
        case [int() as client, int() as clock]:
            return client, clock
        case _:
            raise ValueError


def _surrogates(integers: Iterator[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for index in integers:
        yield index, tuple(islice(integers, _count(next(integers))))


def _deletions(integers: Iterator[int]) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    for author in integers:
        count = _count(next(integers))
        borders = iter(list(islice(integers, 2 * count)))
        ranges = tuple(zip(borders, borders, strict=True))
        if len(ranges) != count:
            raise ValueError
        yield author, ranges


def _count(value: int) -> int:
    if value < 0:
        raise ValueError
    return value


def _integers(data: bytes) -> "array[int]":
    integers = array("q")
    integers.frombytes(data)
    return integers
