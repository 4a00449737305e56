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
from server.store.schema import contributors

KEY_BYTES = 8

Known = dict[Contributor, bytes]
"""Contributors that one node has stored, with their keys. One who is stored once more changes nothing."""

MOST_KNOWN = 50_000
"""Contributors past which `Known` is emptied."""


@lru_cache(MOST_KNOWN)
def key_of(contributor: Contributor) -> bytes:
    """The key of a contributor, everywhere the same."""
    words = json.dumps(astuple(contributor)).encode()
    return hashlib.blake2b(words, digest_size=KEY_BYTES).digest()


def keys_of(contributors: Iterable[Contributor]) -> bytes:
    """What a row holds."""
    return b"".join(map(key_of, contributors))


def as_row(contributor: Contributor) -> tuple[bytes, str, str, str, str]:
    """A row of the table."""
    return key_of(contributor), *astuple(contributor)


def split(keys: bytes) -> list[bytes]:
    """The keys of a row."""
    return [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]


def read_contributors(connection: Connection, keys: Iterable[bytes]) -> Mapping[bytes, Contributor]:
    """Who these are; a key that nobody has stored is left out."""
    of, wanted = contributors.c, sorted(set(keys))
    query = select(of.key, of.user_id, of.name, of.kind, of.on_behalf_of)
    found: dict[bytes, Contributor] = {}
    for at in range(0, len(wanted), 1000):
        for key, *words in connection.execute(query.where(of.key.in_(wanted[at : at + 1000]))):
            found[bytes(key)] = Contributor(*words)
    return found
