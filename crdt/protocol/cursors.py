"""Cursors in short: where somebody's caret is, in a third of the bytes that Yjs' own JSON takes.

A Yjs editor says in `cursor` where the two ends of its selection are, each as a relative position:
`{"type": null, "tname": null, "item": {"client": 7, "clock": 12}, "assoc": 0}`. In short a place is
the list of these four values, an id is a list of two numbers, and a head that is where the anchor
is goes unsaid: `[[null,null,[7,12],0]]`. What has any other form is not shortened, so nothing that
an application puts into its presence is lost or changed.
"""

from collections.abc import Mapping
from typing import Any

from crdt.yjs.varint import MAX_SAFE

Id = list[int] | None
Place = list[Id | str | int]

_ENDS = frozenset({"anchor", "head"})
_PLACE = frozenset({"type", "tname", "item", "assoc"})


def shorten(state: Mapping[str, Any]) -> list[Place] | None:
    """Return a state's cursor in short; None if it has none, or one of another form."""
    cursor = state.get("cursor")
    if type(cursor) is not dict or cursor.keys() != _ENDS:
        return None
    anchor, head = _place(cursor["anchor"]), _place(cursor["head"])
    if anchor is None or head is None:
        return None
    return [anchor] if anchor == head else [anchor, head]


def _place(told: object) -> Place | None:
    if type(told) is not dict or told.keys() != _PLACE:
        return None
    tname, assoc = told["tname"], told["assoc"]
    if not (tname is None or type(tname) is str) or type(assoc) is not int:
        return None
    place = [_id(told["type"]), tname, _id(told["item"]), assoc]
    return None if _NO_ID in place else place


_NO_ID: list[int] = []


def _id(told: object) -> Id:
    """Return an item's id in short, None for null, and `_NO_ID` for anything else."""
    if told is None:
        return None
    if type(told) is not dict or told.keys() != {"client", "clock"}:
        return _NO_ID
    client, clock = told["client"], told["clock"]
    # To Python, true is a whole number as well.
    sound = type(client) is type(clock) is int and 0 <= client <= MAX_SAFE and 0 <= clock <= MAX_SAFE
    return [client, clock] if sound else _NO_ID
