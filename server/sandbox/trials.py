"""Findings of a trial as byte strings: state vector, figures, and four for each set-aside update.

The worker has decoded hostile bytes, so its findings are read strictly, and never unpickled.
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


def encode(trial: Trial) -> list[bytes]:
    figures = _FIGURES.pack(trial.seconds, trial.apply_seconds, trial.load_seconds, trial.values)
    parts = [trial.state_vector, figures]
    for each in trial.found:
        mark = each.set_aside
        parts += [_PLACE.pack(each.seq, mark.position), mark.stand_in, mark.reason.encode("utf-8", "replace"), each.raw]
    return parts


def decode(parts: Sequence[bytes]) -> Trial:
    """Read a trial. Raises InvariantError for anything that `encode` does not write."""
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
