"""Growth limits of one document: client ids, types and structs. Only what is new is refused."""

from collections.abc import Iterable, Sized
from itertools import islice

from crdt.errors import ProtocolError
from crdt.gate.admission import full
from crdt.gate.places import Mark, Places
from crdt.yjs.limits import GateLimits


def check_authors(limits: GateLimits, authors: Sized, new: Iterable[int], own: int | None) -> None:
    """Check the number of client ids.

    `authors` are all client ids of the document, `new` the new ones among them, and `own` is the
    client id of the session. Raises ProtocolError(document_full).
    """
    if len(authors) > limits.client_ids:
        raise full(f"A document has at most {limits.client_ids} client ids. Copy its text into a new document.")
    if len(authors) > limits.brought_client_ids and any(client != own for client in new):
        most = limits.brought_client_ids
        raise full(f"A document takes in at most {most} client ids that others have used. Write under your own id.")


def check_places(limits: GateLimits, places: Places, before: Mark) -> None:
    """Check the number of types and roots. `before` is their mark before the updates.

    Raises ProtocolError(document_full).
    """
    _, roots, types = before
    invented = [name for name in islice(places.roots, roots, None) if name not in limits.fragment_roots]
    if invented and len(places.roots) - len(limits.fragment_roots & places.roots.keys()) > limits.root_names:
        raise full(f"A document has at most {limits.root_names} root types. Use the existing ones.")
    if len(places.types) > max(types, limits.types):
        raise full(f"A document has at most {limits.types} shared types. Delete some, and close it for a minute.")


def too_many_values(limits: GateLimits) -> ProtocolError:
    """Return the refusal of values in lists and objects above the document's limit."""
    return full(f"A document has at most {limits.document_values} values in lists and objects. Delete some.")


def check_structs(limits: GateLimits, structs: int, ranges: int, *, growing: bool) -> None:
    """Check the number of structs and deleted ranges. Raises ProtocolError(document_full).

    Deletions make room, but only when the document is folded. So updates that only delete
    (`growing` is False) pass until the deleted ranges alone exceed the limit.
    """
    most = limits.document_structs
    if structs + ranges > most and (growing or ranges > most):
        raise full(f"A document has at most {most} structs and deleted ranges. Delete some, and close it for a minute.")
