"""Who may write under which client id.

A session's own client id, the one it joined with, is bound to the session's key by its first words.
So nobody can extend somebody else's id (a forged struct at a victim's next clock silences the
victim for ever). The store decides: of two nodes that let in the same new id at once, the one whose
row comes second is refused (server/store/base.py, promise 6). The key lives beside the browser's
offline copy, not in the sign-in: work done offline under an earlier sign-in, and a second tab that
uploads what the first one typed, show the same key.

Ids that merely come along in an upload (an old document that is brought in, a copy from elsewhere)
stay free: whoever brings them is not their author, who may yet return. So does an id that is used
without a key. While the owner of a free id is here, nobody else may write under it: on this node a
reservation says so, of other nodes presence does.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from crdt.errors import Unavailable
from crdt.ids import ClientId
from crdt.protocol.row import AuthorKeys


def hash_key(key: str) -> bytes:
    """What is kept of a key: 16 bytes, of no use to whoever reads the store."""
    return hashlib.sha256(key.encode()).digest()[:16]


def undecided() -> Unavailable:
    """The refusal of what depends on a claim that the store may refuse."""
    return Unavailable("Whose a new client id is has yet to be decided. Keep the change and send it again.")


class Author(NamedTuple):
    """Who writes: the client id that the session joined with, the hash of its key, if it has one, and the person."""

    client_id: ClientId
    key_hash: bytes | None
    user_id: str


class Authors:
    """The bindings of one document: the durable ones, those on their way to the store, and those that joined sessions have reserved.

    `elsewhere`: whom other nodes show under a client id, by their user ids.
    """

    def __init__(self, bound: Mapping[ClientId, bytes], elsewhere: Callable[[ClientId], frozenset[str]]) -> None:
        self._bound = dict(bound)
        self._claimed: dict[ClientId, bytes] = {}
        self._brought: dict[ClientId, bytes] = {}
        """What comes along in what is on its way to the store, by the key of who brings it."""
        self._reserved: dict[ClientId, bytes] = {}
        self._elsewhere = elsewhere

    def allows(self, client_id: ClientId, author: Author) -> bool:
        """Whether a session may join or write under this id; raises Unavailable while the store has yet to decide."""
        owner = self._bound.get(client_id)
        if owner is not None:
            return owner == author.key_hash
        key = author.key_hash
        if self._claimed.get(client_id, key) != key or self._brought.get(client_id, key) != key:
            raise undecided()
        if self._reserved.get(client_id, key) != key:
            return False
        return self._elsewhere(client_id) <= {author.user_id}

    def reserve(self, client_id: ClientId, key_hash: bytes | None) -> None:
        """Keep an announced id for its session before it has written anything."""
        if key_hash is not None:
            self._reserved[client_id] = key_hash

    def release(self, client_id: ClientId) -> None:
        """Forget a reservation; a binding stays."""
        self._reserved.pop(client_id, None)

    def are_settled(self, client_ids: Iterable[int], author: Author) -> bool:
        """Whether there is nothing to claim for who goes on writing under these: they are bound, or the author's own and without a key."""
        bound, unkeyed = self._bound, author.client_id if author.key_hash is None else None
        for client_id in client_ids:  # noqa: SIM110 - asked for each edit: `all` with a generator takes four times as long
            if client_id not in bound and client_id != unkeyed:
                return False
        return True

    def owns(self, author: Author) -> bool:
        """Whether an author's own client id is bound to the author's key, which nothing can undo."""
        return author.key_hash is not None and self._bound.get(author.client_id) == author.key_hash

    def claim(self, writes: Iterable[ClientId], new: Iterable[ClientId], author: Author) -> AuthorKeys:
        """Take what somebody writes under; return what the store must bind, or (with an empty key) find bound to nobody else.

        `new`: those of them whose first words these are.
        """
        began, claims = set(new), list[tuple[ClientId, bytes]]()
        for client_id in writes:
            if client_id in self._bound or client_id in self._claimed:
                continue  # the store has decided, or is about to, for this very key
            own, key = client_id == author.client_id, author.key_hash
            if key is not None:
                (self._claimed if own else self._brought)[client_id] = key
            if not own or key is not None or client_id in began:
                claims.append((client_id, key if own and key is not None else b""))
        return tuple(claims)

    def withdraw(self, claims: AuthorKeys) -> None:
        """What was claimed is not on its way to the store any more."""
        for client_id, key in claims:
            (self._claimed if key else self._brought).pop(client_id, None)

    def settle(self, claims: AuthorKeys) -> None:
        """What was claimed is durable."""
        self.withdraw(claims)
        self.learn([claim for claim in claims if claim[1]])

    def learn(self, bound: Iterable[tuple[ClientId, bytes]]) -> None:
        """Take over what the store has bound; it decides where memory says otherwise."""
        for client_id, key_hash in bound:
            self._claimed.pop(client_id, None)
            self._brought.pop(client_id, None)
            self._bound[client_id] = key_hash
