"""Who may write under which client id.

The first use of an id binds it to the key that the session showed, so that nobody can extend somebody else's id (a forged struct at a
victim's next clock silences the victim for ever). The key lives beside the browser's offline copy, not in the sign-in: work done
offline under an earlier sign-in, and a second tab that uploads what the first one typed, show the same key and go through. An id
used without a key stays free.
"""

import hashlib
from collections.abc import Iterable, Mapping

from crdt.ids import ClientId


def hash_key(key: str) -> bytes:
    """What is kept of a key: 16 bytes, of no use to whoever reads the store."""
    return hashlib.sha256(key.encode()).digest()[:16]


class Authors:
    """The bindings of one document: the durable ones, and those that joined sessions have reserved."""

    def __init__(self, bound: Mapping[ClientId, bytes]) -> None:
        self._bound = dict(bound)
        self._reserved: dict[ClientId, bytes] = {}

    def allows(self, client_id: ClientId, key_hash: bytes | None) -> bool:
        """Whether a session with this key may write under this id."""
        owner = self._bound.get(client_id) or self._reserved.get(client_id)
        return owner is None or owner == key_hash

    def reserve(self, client_id: ClientId, key_hash: bytes | None) -> None:
        """Keep an announced id for its session before it has written anything."""
        if key_hash is not None and client_id not in self._bound:
            self._reserved[client_id] = key_hash

    def release(self, client_id: ClientId) -> None:
        """Forget a reservation; a binding stays."""
        self._reserved.pop(client_id, None)

    def learn(self, bound: Mapping[ClientId, bytes]) -> None:
        """Take over what the store knows; it decides where memory says otherwise."""
        self._bound.update(bound)

    def forget(self, client_ids: Iterable[ClientId]) -> None:
        """Others wrote under these ids first, on another node, under a key that only the store knows: here they are free."""
        for client_id in client_ids:
            self._bound.pop(client_id, None)

    def bind(self, client_ids: Iterable[ClientId], key_hash: bytes | None) -> tuple[tuple[ClientId, bytes], ...]:
        """Bind ids that are written under for the first time; return what the store must keep."""
        if key_hash is None:
            return ()
        fresh = tuple((client_id, key_hash) for client_id in client_ids if client_id not in self._bound)
        self._bound.update(fresh)
        return fresh
