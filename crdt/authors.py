"""Who may write under which client id.

The first use of an id binds it to the key that the session showed, so that nobody can extend somebody else's id (a forged struct at a
victim's next clock silences the victim for ever). The store decides: of two nodes that let in the same new id at once, the one whose row
comes second is refused (server/store/base.py, promise 6). The key lives beside the browser's offline copy, not in the sign-in: work done
offline under an earlier sign-in, and a second tab that uploads what the first one typed, show the same key and go through. An id
used without a key stays free.
"""

import hashlib
from collections.abc import Iterable, Mapping

from crdt.errors import Unavailable
from crdt.ids import ClientId
from crdt.log_row import AuthorKeys


def hash_key(key: str) -> bytes:
    """What is kept of a key: 16 bytes, of no use to whoever reads the store."""
    return hashlib.sha256(key.encode()).digest()[:16]


def undecided() -> Unavailable:
    """The refusal of what depends on a claim that the store may refuse."""
    return Unavailable("Whose a new client id is has yet to be decided. Keep the change and send it again.")


class Authors:
    """The bindings of one document: the durable ones, those on their way to the store, and those that joined sessions have reserved."""

    def __init__(self, bound: Mapping[ClientId, bytes]) -> None:
        self._bound = dict(bound)
        self._claimed: dict[ClientId, bytes] = {}
        self._reserved: dict[ClientId, bytes] = {}

    def allows(self, client_id: ClientId, key_hash: bytes | None) -> bool:
        """Whether a session with this key may write under this id; raises Unavailable while the store has yet to decide."""
        owner = self._bound.get(client_id)
        if owner is None and self._claimed.get(client_id, key_hash) != key_hash:
            raise undecided()
        owner = owner or self._reserved.get(client_id)
        return owner is None or owner == key_hash

    def reserve(self, client_id: ClientId, key_hash: bytes | None) -> None:
        """Keep an announced id for its session before it has written anything."""
        if key_hash is not None:
            self._reserved[client_id] = key_hash

    def release(self, client_id: ClientId) -> None:
        """Forget a reservation; a binding stays."""
        self._reserved.pop(client_id, None)

    def claim(self, client_ids: Iterable[ClientId], key_hash: bytes | None) -> AuthorKeys:
        """Take ids that are written under for the first time; return what the store must bind, or (without a key) find unbound."""
        claims = tuple((client_id, key_hash or b"") for client_id in client_ids if client_id not in self._bound)
        self._claimed.update((client_id, key) for client_id, key in claims if key)
        return claims

    def withdraw(self, claims: AuthorKeys) -> None:
        """What was claimed did not come to the store, and may be claimed again."""
        for client_id, _ in claims:
            self._claimed.pop(client_id, None)

    def learn(self, bound: Iterable[tuple[ClientId, bytes]]) -> None:
        """Take over what the store has bound; it decides where memory says otherwise."""
        for client_id, key_hash in bound:
            self._claimed.pop(client_id, None)
            self._bound[client_id] = key_hash
