"""Findings of the gate about an update, as MessagePack between a worker and the server.

A worker has read a stranger's bytes, and the stranger may control it by now. So the server checks
the exact types of the findings.
"""

from msgspec import MsgspecError
from msgspec.msgpack import Decoder, Encoder

from crdt.errors import InvariantError
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, Struct

_Findings = tuple[
    bytes,  # the engine's form, or nothing if it is the update's own bytes
    list[tuple[int, int, int]],
    list[list[Struct]],
    tuple[tuple[int, tuple[tuple[int, int], ...]], ...],
    int,
]
_write = Encoder().encode
_read = Decoder(_Findings).decode
_read_limits = Decoder(GateLimits).decode


def encode_limits(limits: GateLimits) -> bytes:
    return _write(limits)


def decode_limits(data: bytes) -> GateLimits:
    """Read the gate's limits. They come from the server, so they are trusted."""
    return _read_limits(data)


def encode(inspected: Inspected) -> bytes:
    """Encode the findings about one update, without the update's own bytes."""
    engine = b"" if inspected.engine is inspected.raw else inspected.engine
    return _write((engine, inspected.clients, inspected.structs, inspected.deletions, inspected.values))


def decode(raw: bytes, data: bytes) -> Inspected:
    """Read the findings about `raw`.

    Raises InvariantError for anything that `encode` does not write.
    """
    try:
        engine, clients, structs, deletions, values = _read(data)
    except (MsgspecError, RecursionError) as error:
        raise InvariantError("The sandbox's findings have an unknown form.") from error
    if len(clients) != len(structs):
        raise InvariantError("The sandbox's findings have an unknown form.")
    return Inspected(raw, engine or raw, clients, structs, deletions, values=values)
