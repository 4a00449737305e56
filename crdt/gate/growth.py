"""How far one document may grow: its authors, its types, its structs. What it has already is never refused."""

from collections.abc import Iterable, Sized
from itertools import islice

from crdt.errors import ProtocolError
from crdt.gate.admission import full
from crdt.gate.places import Mark, Places
from crdt.yjs.limits import GateLimits


def check_authors(limits: GateLimits, authors: Sized, new: Iterable[int], own: int | None) -> None:
    """Check `authors`, of whom some are new; `own` is the session's client id."""
    if len(authors) > limits.client_ids:
        raise full(f"A document has at most {limits.client_ids} client ids. Copy what it says into another one.")
    if len(authors) > limits.brought_client_ids and any(client != own for client in new):
        most = limits.brought_client_ids
        raise full(f"A document takes in at most {most} client ids that others have used. Write under your own.")


def check_places(limits: GateLimits, places: Places, before: Mark) -> None:
    """Check what types and roots there are; `before`: how many there were."""
    _, roots, types = before
    invented = [name for name in islice(places.roots, roots, None) if name not in limits.fragment_roots]
    if invented and len(places.roots) - len(limits.fragment_roots & places.roots.keys()) > limits.root_names:
        raise full(f"A document has at most {limits.root_names} root types. Use those that it has.")
    if len(places.types) > max(types, limits.types):
        raise full(f"A document has at most {limits.types} shared types. Delete some, and close it for a minute.")


def too_many_values(limits: GateLimits) -> ProtocolError:
    """The refusal of values in lists and objects beyond what a document may hold."""
    return full(f"A document has at most {limits.document_values} values in lists and objects. Delete some.")


def check_structs(limits: GateLimits, structs: int, ranges: int, *, growing: bool) -> None:
    """Check structs and deleted ranges. Who only deletes makes room, though not before the document is folded: that goes on a while."""
    most = limits.document_structs
    if structs + ranges > most and (growing or ranges > most):
        raise full(f"A document has at most {most} structs and deleted ranges. Delete some, and close it for a minute.")
