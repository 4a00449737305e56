"""Contributors in SQL: a row names whose updates it holds by keys of eight bytes, and what a key stands for is stored once.

A person who is renamed is another contributor from then on, so that the log says what was true when
it was written.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from functools import lru_cache

from sqlalchemy import Connection, select

from crdt.protocol.row import Contributor
from server.store.base import Append
from server.store.schema import contributors

KEY_BYTES = 8

MOST_KNOWN = 50_000
"""Contributors that one node remembers to have stored; past it, each is stored once more, which changes nothing."""


@lru_cache(MOST_KNOWN)
def key_of(contributor: Contributor) -> bytes:
    """The key of a contributor, everywhere the same."""
    words = json.dumps(astuple(contributor)).encode()
    return hashlib.blake2b(words, digest_size=KEY_BYTES).digest()


def keys_of(append: Append) -> bytes:
    """What an append's row holds."""
    return b"".join(map(key_of, append.contributors))


def split(keys: bytes) -> list[bytes]:
    """The keys of a row."""
    return [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]


class Known:
    """Which contributors are stored, as far as one node knows."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()

    def new_in(self, appends: Iterable[Append]) -> list[tuple[bytes, str, str, str, str]]:
        """The rows of the table to be stored before these appends, in the order of their keys."""
        known = self._keys
        new = {key: each for append in appends for each in append.contributors if (key := key_of(each)) not in known}
        return sorted((key, *astuple(each)) for key, each in new.items()) if new else []

    def stored(self, rows: Iterable[tuple[bytes, str, str, str, str]]) -> None:
        """These are durable now."""
        if len(self._keys) > MOST_KNOWN:
            self._keys.clear()
        self._keys.update(row[0] for row in rows)


def read_contributors(connection: Connection, keys: Iterable[bytes]) -> Mapping[bytes, Contributor]:
    """Who these are; a key that nobody has stored is left out."""
    of, wanted = contributors.c, sorted(set(keys))
    query = select(of.key, of.user_id, of.name, of.kind, of.on_behalf_of)
    found: dict[bytes, Contributor] = {}
    for at in range(0, len(wanted), 1000):
        for key, *words in connection.execute(query.where(of.key.in_(wanted[at : at + 1000]))):
            found[bytes(key)] = Contributor(*words)
    return found
