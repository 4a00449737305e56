"""Messages between the serving process and a worker: jobs as pickles, answers as MessagePack.

Only the serving process makes jobs, so a worker trusts them. A worker has met strangers' bytes: its
answer is read as exactly what the job declares, or not at all. In front of each message stands its
length.
"""

import struct
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

from crdt.errors import Code, InvariantError, ProtocolError
from crdt.protocol.row import Found
from crdt.yjs.reader import Inspected
from crdt.yjs.reader import Struct as YjsStruct

T = TypeVar("T")

HEAD = struct.Struct(">Q")
"""A message's length, which precedes it."""

WANT_OF_MEMORY = "The content needs more memory than the sandbox has, or is damaged."
"""Both reasons in one, because native code ends its process in both cases."""

OUT_OF_MEMORY = 3
"""Exit code of a worker that has no memory to read its job."""


class SandboxRejected(ProtocolError):
    """The worker refused the bytes, or ran out of memory or time with them, or died.

    `died` means that the worker's process ended. Any other process would have ended as well.
    """

    def __init__(self, message: str, code: Code = Code.BAD_UPDATE, *, died: bool = False) -> None:
        super().__init__(code, message)
        self.died = died


class Answer(Struct, frozen=True, array_like=True):
    """A worker's answer to a job, or its word that it is ready.

    Attributes:
        found: the result, which `read` reads, if the job was done.
        refusal: the code and the message otherwise. The gate's own refusal is not `rejected`.
        stays: whether the process takes another job.
    """

    found: bytes = b""
    refusal: tuple[Code, str] | None = None
    rejected: bool = False
    stays: bool = True


class Trial(Struct, frozen=True):
    """A document that was replayed, encoded and loaded again.

    Attributes:
        state_vector: the state vector of the whole document, as Yjs v1 bytes.
        seconds: processor seconds of the whole trial.
        apply_seconds: the part of `seconds` that the document engine needed for the last row.
        load_seconds: the part of `seconds` that the document engine needed to open the document.
        found: updates that do not apply, and were set aside.
        values: an upper bound of the living values in lists and objects.
    """

    state_vector: bytes
    seconds: float
    found: tuple[Found, ...] = ()
    apply_seconds: float = 0.0
    load_seconds: float = 0.0
    values: int = 0


ImageType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
_Pixels = Annotated[int, Meta(ge=0, lt=10**9)]


class ImageFacts(Struct, frozen=True):
    """Facts from an image's content. `width` and `height` are pixels."""

    media_type: ImageType
    width: _Pixels
    height: _Pixels


_Findings = tuple[
    bytes,  # the engine's form, or nothing if it is the update's own bytes
    list[tuple[int, int, int]],
    list[list[YjsStruct]],
    tuple[tuple[int, tuple[tuple[int, int], ...]], ...],
    int,
]
write = Encoder().encode
_read_findings = Decoder(_Findings).decode


def read(data: bytes, decode: Callable[[bytes], T]) -> T:
    """Read what a worker has written. Raises InvariantError for another form."""
    try:
        return decode(data)
    except (MsgspecError, ValueError, RecursionError) as error:
        raise InvariantError("The sandbox's answer has an unknown form.") from error


def encode_findings(inspected: Inspected) -> bytes:
    """Encode the findings about one update, without the update's own bytes."""
    engine = b"" if inspected.engine is inspected.raw else inspected.engine
    return write((engine, inspected.clients, inspected.structs, inspected.deletions, inspected.values))


def decode_findings(raw: bytes, data: bytes) -> Inspected:
    """Read the findings about `raw`.

    Raises InvariantError for anything that `encode` does not write.
    """
    engine, clients, structs, deletions, values = read(data, _read_findings)
    if len(clients) != len(structs):
        raise InvariantError("The sandbox's answer has an unknown form.")
    return Inspected(raw, engine or raw, clients, structs, deletions, values=values)
