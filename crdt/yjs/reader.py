"""The strict reader of Yjs v1 updates that strangers send. It does not know the document.

The wire format (Yjs' UpdateEncoderV1; all integers are varUints, all texts UTF-8 with their byte
length in front):

    update    = number of clients, block*, number of clients, deletions*
    block     = number of structs, client id, clock of the first struct, struct*
    struct    = info byte, origin?, right origin?, parent?, content
    info      = 0x80 an origin follows | 0x40 a right origin follows | 0x20 has a map key
                | content reference (the low five bits)
    id        = client id, clock
    parent    = (1, root name | 0, id of the parent type's struct), and the map key if 0x20
    deletions = client id, number of ranges, (first clock, length)*

A struct begins at the clock at which the one before ends. The parent is written only if the struct
has neither origin, because an origin tells the parent.

An update that passes is well-formed, canonical where that matters, and ends where it should. Its
structs refer to no later struct of their own client id. `Knowledge` (crdt/gate/gate.py) checks
whether the document has what the structs refer to. Honest Yjs clients send only updates that pass:
tests/crdt/test_gate_honest.py tries this with real clients.

A keystroke takes about 2 µs here. Therefore a struct is a plain tuple, and the branches stand in
the order of their frequency.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from crdt.errors import Code, ProtocolError
from crdt.yjs.contents import ANY, CONTENT_READERS, GC, JSON, SKIP, STRING, Content
from crdt.yjs.limits import GateLimits
from crdt.yjs.values import Reading, bad_update, read_text, rewritten
from crdt.yjs.varint import MAX_CLOCK, read_varuint

Parent = str | tuple[int, int] | None
"""A root type's name, the id of the parent type's struct, or None if an origin tells the parent."""

Struct = tuple[int, int, int, int, int, int, int, Parent, tuple[int, ...]]
"""(clock, end, kind, origin, origin clock, right, right clock, parent, low surrogates)

`clock` is the first clock and `end` the clock behind the last. `origin` and `right` are the client
ids of the origin and the right origin, or -1. `kind` is the content reference; for shared types it
is `FIRST_TYPE` plus the type reference. `KEYED` is added to the kind if the struct names a parent
and a map key. The low surrogates are the clocks of the second halves of surrogate pairs.
"""

KEYED = 32
_TOO_MANY = "The change has too many structs and deleted ranges. Send it in several batches."
_NO_RANGES: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = ()
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class Inspected(msgspec.Struct):
    """One update, and its structs and deletions. Treat it as immutable.

    Attributes:
        raw: the update in the clients' form: the bytes as they came, or as they were mended.
        engine: the update in the engine's form (crdt/yjs/wrapping.py). It is nearly always the same
            object as `raw`.
        clients: client id, first clock and the clock behind the last struct, for each client id
            with structs.
        structs: the structs of each entry of `clients`.
        deletions: client id and deleted ranges (first clock, clock behind), sorted.
        values: number of values in lists and objects, including values that stand alone.
    """

    raw: bytes
    engine: bytes
    clients: list[tuple[int, int, int]]
    structs: list[list[Struct]]
    deletions: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    values: int = 0


def inspect(update: bytes, limits: GateLimits, *, durable: bool = False, gaps: bool = False) -> Inspected:
    """Read an update in time linear in its length.

    Set `durable` for an update that the log already has. Limits of size do not hold then, and
    content that is refused today is mended (crdt/yjs/values.py). With `gaps`, the update may lack
    structs in between. Its structs then include those gaps, and the gate must not see it.

    Raises ProtocolError: `bad_update`, `unsupported_content`, `too_large`, `document_full` for too
    many client ids, or `missing_past` for an update that marks a gap itself.
    """
    if durable:
        limits = limits.without_sizes()
    reading = Reading(limits, update, durable, gaps=gaps)
    inspected = _inspect(update, limits, reading)
    if reading.mends:
        return inspect(rewritten(update, reading.mends), limits, durable=True)
    return inspected


def inspect_batch(updates: Sequence[bytes], limits: GateLimits) -> list[Inspected]:
    """Read the updates of one batch. All together may hold no more than a single update may.

    Raises ProtocolError as `inspect` does.
    """
    if len(updates) == 1:
        return [inspect(updates[0], limits)]
    inspected = []
    for update in updates:
        reading = Reading(limits, update, durable=False)
        inspected.append(each := _inspect(update, limits, reading))
        size = 1 + sum(map(len, each.structs)) + sum([len(ranges) for _, ranges in each.deletions])
        limits = replace(limits, structs=limits.structs - size, any_values=reading.any_values)
    return inspected


def _inspect(update: bytes, limits: GateLimits, reading: Reading) -> Inspected:
    if len(update) > limits.update_bytes:
        raise ProtocolError(Code.TOO_LARGE, f"An update has at most {limits.update_bytes} bytes.")
    try:
        clients, structs, at = _read_blocks(update, limits, reading)
        if update[at]:
            count = sum(map(len, structs))
            deletions, at = _read_deletions(update, at, limits.structs - count)
        else:
            deletions = _NO_RANGES
            at += 1
    except IndexError:
        raise bad_update("The update ends too early.") from None
    except UnicodeDecodeError:
        raise bad_update("A text in the update is not UTF-8.") from None
    except ProtocolError as error:
        if error.code is Code.MALFORMED:
            raise bad_update(error.message) from None
        raise
    if at != len(update):
        raise bad_update("Bytes follow the update. If it has Yjs' format v2, send format v1.")
    engine = rewritten(update, reading.wraps) if reading.wraps else update
    return Inspected(update, engine, clients, structs, deletions, values=limits.any_values - reading.any_values)


def _read_blocks(
    data: bytes, limits: GateLimits, reading: Reading
) -> tuple[list[tuple[int, int, int]], list[list[Struct]], int]:
    blocks, at = read_varuint(data, 0)
    if blocks * 4 > len(data):  # a block has a count, a client id, a clock, and a struct
        raise bad_update("The update announces more clients than it has bytes for.")
    if blocks > limits.client_ids:
        most = f"A document has at most {limits.client_ids} client ids"
        raise ProtocolError(Code.DOCUMENT_FULL, f"{most}. Copy its text into a new document.")
    clients: list[tuple[int, int, int]] = []
    all_structs: list[list[Struct]] = []
    left = limits.structs
    for _ in range(blocks):
        count, at = read_varuint(data, at)
        left -= count
        if left < 0:
            raise ProtocolError(Code.TOO_LARGE, _TOO_MANY)
        if not count:
            raise bad_update("The update has a client without structs.")
        start = at
        client, at = read_varuint(data, at)
        own = (client, data[start:at])
        first, at = read_varuint(data, at)
        struct, at = _read_struct(data, at, first, own, reading)
        structs = [struct]  # grown one by one, so that an announced count reserves no memory
        while len(structs) < count:
            struct, at = _read_struct(data, at, struct[1], own, reading)
            structs.append(struct)
        clients.append((client, first, struct[1]))
        all_structs.append(structs)
    if blocks > 1 and len({client for client, _, _ in clients}) < blocks:
        raise bad_update("The update names a client id twice.")
    return clients, all_structs, at


def _read_struct(data: bytes, at: int, clock: int, own: tuple[int, bytes], reading: Reading) -> tuple[Struct, int]:
    start = at
    info = data[at]
    at += 1
    kind = info & 0x1F
    if not kind or kind == SKIP:
        return _read_hole(data, at, clock, info, reading)
    origin = origin_clock = right = right_clock = -1
    parent: Parent = None
    lows: tuple[int, ...] = ()
    if info & 0x80:
        origin, origin_clock, at = _read_id(data, at, own, clock)
    if info & 0x40:
        right, right_clock, at = _read_id(data, at, own, clock)
    if info < 0x40:  # neither origin
        parent, at = _read_parent(data, at, own, clock, reading, keyed=info & 0x20)
    if kind == STRING:
        raw_length = data[at]
        if raw_length == 1 and data[at + 1] < 0x80:  # one ASCII character: needs no decoding
            length = 1
            at += 2
        else:
            length, lows, at = _read_string(data, at, clock, reading)
    else:
        if kind == JSON:
            # The engine is given ContentAny: the same flags, another content reference.
            reading.wrap(start, start + 1, bytes((info & ~0x1F | ANY,)))
        kind, length, at = _read_content(kind, data, at, reading)
    end = clock + length
    if length < 1 or end > MAX_CLOCK:
        raise bad_update("A struct is empty or beyond the last clock.")
    if parent is not None:
        kind |= info & 0x20  # KEYED is the flag's own bit
    return (clock, end, kind, origin, origin_clock, right, right_clock, parent, lows), at


def _read_content(kind: int, data: bytes, at: int, reading: Reading) -> Content:
    reader = CONTENT_READERS.get(kind)
    if reader is None:
        raise bad_update("There is no such content.")
    return reader(data, at, reading)


def _read_hole(data: bytes, at: int, clock: int, info: int, reading: Reading) -> tuple[Struct, int]:
    """Read a garbage-collected struct. A gap is refused, and so is a struct with flags."""
    if info == SKIP and not reading.gaps:
        raise ProtocolError(
            Code.MISSING_PAST, "The update has a gap: it was merged from updates that do not follow on one another."
        )
    if info not in {GC, SKIP}:
        raise bad_update("There is no such struct.")
    length, at = read_varuint(data, at)
    if not 0 < length <= MAX_CLOCK - clock:
        raise bad_update("A struct is empty or beyond the last clock.")
    return (clock, clock + length, info, -1, -1, -1, -1, None, ()), at


def _read_id(data: bytes, at: int, own: tuple[int, bytes], clock: int) -> tuple[int, int, int]:
    """Read the id of an earlier struct: client id, clock, and the offset behind it."""
    client, own_bytes = own
    # Nearly every id has the author's own client id. Comparing its bytes is faster than reading it,
    # and sound, because no varUint is the beginning of another.
    if data.startswith(own_bytes, at):
        at += len(own_bytes)
        referred = data[at]
        if referred < 0x80:
            at += 1
        else:
            referred, at = read_varuint(data, at)
        if referred >= clock:
            raise bad_update("A struct refers to itself or to a later one.")
        return client, referred, at
    client, at = read_varuint(data, at)
    referred, at = read_varuint(data, at)
    return client, referred, at


def _read_parent(
    data: bytes, at: int, own: tuple[int, bytes], clock: int, reading: Reading, *, keyed: int
) -> tuple[Parent, int]:
    flag = data[at]
    parent: Parent
    if flag == 1:
        parent, at = reading.read_name(data, at + 1)
    elif flag == 0:
        client, referred, at = _read_id(data, at + 1, own, clock)
        parent = (client, referred)
    else:
        raise bad_update("There is no such parent.")
    if keyed:
        _, at = reading.read_name(data, at)
    return parent, at


def _read_string(data: bytes, at: int, clock: int, reading: Reading) -> tuple[int, tuple[int, ...], int]:
    """Read a text; return its length in UTF-16 units, the clocks of low surrogates, and the offset.

    Yjs counts a text in UTF-16 units.
    """
    start = at
    text, at = read_text(data, at)
    length = len(text)
    if text.isascii() or max(text) < "\U00010000":
        return length, (), at
    if reading.marked:
        reading.check_text(data, start, at)
    # Each of the i pairs before has added one unit to the offset in characters; the low half is the
    # second unit of its pair.
    lows = tuple([clock + match.start() + i + 1 for i, match in enumerate(_ASTRAL.finditer(text))])
    return length + len(lows), lows, at


def _read_deletions(data: bytes, at: int, most: int) -> tuple[tuple[tuple[int, tuple[tuple[int, int], ...]], ...], int]:
    blocks, at = read_varuint(data, at)
    if blocks * 4 > len(data) - at:  # a block has a client id, a count, a clock, and a length
        raise bad_update("The update announces more deletions than it has bytes for.")
    deletions: dict[int, tuple[tuple[int, int], ...]] = {}
    for _ in range(blocks):
        client, at = read_varuint(data, at)
        count, at = read_varuint(data, at)
        if not 0 < count * 2 <= len(data) - at:
            raise bad_update("The update announces no deletions, or more than it has bytes for.")
        most -= count
        if most < 0:
            raise ProtocolError(Code.TOO_LARGE, _TOO_MANY)
        ranges: list[tuple[int, int]] = []
        for _ in range(count):
            first, at = read_varuint(data, at)
            length, at = read_varuint(data, at)
            if not 0 < length <= MAX_CLOCK - first:
                raise bad_update("A deleted range is empty or beyond the last clock.")
            ranges.append((first, first + length))
        if count > 1:
            ranges.sort()
        deletions[client] = tuple(ranges)
    if len(deletions) < blocks:
        raise bad_update("The update names a client id twice.")
    return tuple(deletions.items()), at
