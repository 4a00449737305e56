"""A trial's findings, as byte strings: the state vector, the figures, and four for each update that was set aside.

The worker has decoded hostile bytes, so what it says is read strictly, and never unpickled.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from crdt.errors import InvariantError
from crdt.ids import Seq
from crdt.protocol.row import Found, SetAside

_FIGURES = struct.Struct(">dddq")
_PLACE = struct.Struct(">qq")
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """A document that was replayed, encoded and loaded again.

    Attributes:
        state_vector: of all of it, as crdt.gate.encode_state_vector writes it.
        seconds: of processor time that this took.
        apply_seconds: of that, what the document engine needed for the last row.
        load_seconds: of that, what it needs to open the document.
        found: what does not apply, and was set aside.
        values: how many values in lists and objects live in it, or more.
    """

    state_vector: bytes
    seconds: float
    found: tuple[Found, ...] = ()
    apply_seconds: float = 0.0
    load_seconds: float = 0.0
    values: int = 0


def encode(trial: Trial) -> list[bytes]:
    """Write a trial."""
    figures = _FIGURES.pack(trial.seconds, trial.apply_seconds, trial.load_seconds, trial.values)
    parts = [trial.state_vector, figures]
    for each in trial.found:
        mark = each.set_aside
        parts += [_PLACE.pack(each.seq, mark.position), mark.stand_in, mark.reason.encode("utf-8", "replace"), each.raw]
    return parts


def decode(parts: Sequence[bytes]) -> Trial:
    """Read a trial; raises InvariantError for anything that `encode` does not write."""
    try:
        state_vector, figures, *rest = parts
        found = [_found(*rest[at : at + _PARTS]) for at in range(0, len(rest), _PARTS)]
        taken, apply, load, values = _FIGURES.unpack(figures)
        return Trial(state_vector, taken, tuple(found), apply, load, values)
    except (ValueError, TypeError, struct.error) as error:
        raise InvariantError("The sandbox's findings have an unknown form.") from error


def _found(place: bytes, stand_in: bytes, reason: bytes, raw: bytes) -> Found:
    seq, position = _PLACE.unpack(place)
    return Found(Seq(seq), SetAside(position, stand_in, reason.decode()), raw)
