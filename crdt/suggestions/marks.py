"""Marks of comments and suggestions, as the editor's binding stores them in a Yjs text.

Such a mark may stand beside others of its type. So its format's key is the mark's name, two dashes,
and eight characters made of its attributes (client_web/binding/src/marks.ts): two marks overwrite
each other only if they are the same. A key with other characters is a forgery.
"""

import hashlib
import json
import math
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice, permutations
from typing import Any

from crdt.permissions import not_a_suggestion
from crdt.yjs.contents import DELETED, EMBED, FORMAT, GC, TYPE, XML_ELEMENT, XML_TEXT
from crdt.yjs.items import Item, ItemReader
from crdt.yjs.varint import read_varuint, sized, varuint
from crdt.yjs.wrapping import MARK_CHARACTER

INSERTION = "insertion"
KINDS = (INSERTION, "deletion", "formatting", "comment")

ATTRIBUTE = "suggestion"
"""The attribute of a block that is suggested.

Up to version 4 of the format it also says what one person proposes for the block.
"""

INSERT = "insert"
"""The kind of suggestion that makes a block one that is not there yet."""

PROPOSAL_KINDS = frozenset({"delete", "set", "join", "wrap", "lift"})
"""What people propose for a block, each under a key of their own (`proposal_key_of`)."""

BLOCK_KINDS = PROPOSAL_KINDS | {INSERT}

MOST_MARK = 4096
"""Characters of a mark or of a block's suggestion, written out. One with a long link needs most."""

MOST_NAME = 64
"""Characters of a suggestion's or a comment's id."""

MOST_DOUBTS = 50
"""Marks of one update whose key does not fit at first sight. Each takes 1 ms to be looked at."""

_ORDER = ("id", "user", "at", "run", "break", "add", "remove")
"""The order of attributes in the editor's schema (client_web/schema/src/suggestions.ts)."""

_MOST_ORDERS = 720
_KEY = re.compile(rf"({'|'.join(KINDS)})(?:--[a-zA-Z0-9+/=]{{8}})?")
_PROPOSAL = re.compile(rf"{ATTRIBUTE}--[a-zA-Z0-9+/=]{{8}}")
_WRAPPED = re.compile(re.escape(2 * MARK_CHARACTER) + r"J([A-Za-z0-9+/]*=*)\.")
_HASH_BYTES = 6

Pair = tuple[str, str]
"""A format's key and its value as `canonical` writes it."""


@lru_cache(maxsize=4096)
def kind_of(key: str) -> str | None:
    """Return the name of the mark that a format's key holds; None for any other format."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def is_proposal_key(name: str) -> bool:
    """Whether an attribute of a block holds what somebody proposes for the block."""
    return _PROPOSAL.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def proposal_key_of(user: str) -> str:
    """Return the attribute of a block that holds what this person proposes for it.

    Each person has one attribute, so that nobody overwrites what others propose.
    """
    return key_of(ATTRIBUTE, {"user": user})


def plain(value: Any) -> Any:
    """Return a format's value as its author wrote it (crdt/yjs/wrapping.py)."""
    wrapped = _WRAPPED.fullmatch(value) if isinstance(value, str) else None
    return json.loads(b64decode(wrapped[1])) if wrapped else value


def is_of(value: Any, user: str) -> bool:
    """Whether a mark or a block's suggestion is this person's, and sound."""
    if not isinstance(value, dict) or value.get("user") != user:
        return False
    name = value.get("id")
    return isinstance(name, str) and 0 < len(name) <= MOST_NAME and len(repr(value)) <= MOST_MARK


def canonical(value: Any) -> str:
    """Return a text that is the same for the same value only. To yrs every number is a float.

    Of a shared type only its kind is told, because no suggestion may change what is in it.
    """
    match value:
        case str() | bool() | None | float() | bytes():
            return repr(value)
        case int():
            return repr(float(value))
        case dict():
            return "{" + ",".join([f"{key!r}:{canonical(value[key])}" for key in sorted(value)]) + "}"
        case list():
            return "[" + ",".join([canonical(each) for each in value]) + "]"
        case _:
            return type(value).__name__


def key_of(name: str, attributes: Mapping[str, Any]) -> str:
    """Return the key of a mark, whose attributes stand in the schema's order."""
    whole = {"type": name, "attrs": attributes} if attributes else {"type": name}
    folded = bytearray(hashlib.sha256(_any(whole)).digest())
    for at in range(_HASH_BYTES, len(folded)):
        folded[at % _HASH_BYTES] ^= folded[at]
    return f"{name}--{b64encode(folded[:_HASH_BYTES]).decode()}"


def check_new(update: bytes, clocks: Mapping[int, int], fragment: str) -> list[Pair]:
    """Raise ProtocolError(not_a_suggestion) if an update brings what no suggestion is made of.

    `update` is in the clients' form. What is known by `clocks` is not looked at. Whose the marks
    are, and what they do, is judged by what they lead to. Returns the marks whose keys do not fit:
    they may be repeated, and not be made.
    """
    doubts: list[Pair] = []
    reader = ItemReader(update)
    for item in reader.items():
        if item.clock + item.length <= clocks.get(item.client, 0) or item.kind in (GC, DELETED):
            continue
        if isinstance(item.parent, str) and item.parent != fragment:
            raise not_a_suggestion("changes something beside the text")
        if item.kind == EMBED or (item.kind == TYPE and not _is_xml(item)):
            raise not_a_suggestion("brings what no editor writes into a text")
        if item.kind == FORMAT and (doubt := _doubt(update[reader.content_at : reader.at])):
            doubts.append(doubt)
            if len(doubts) > MOST_DOUBTS:
                raise not_a_suggestion("holds marks whose keys do not belong to them")
    return doubts


def _is_xml(item: Item) -> bool:
    return item.content is not None and item.content[0][0] in (XML_ELEMENT, XML_TEXT)  # type: ignore[index]


def _doubt(content: bytes) -> Pair | None:
    """Return a format that holds one of our marks under a key that does not fit."""
    length, at = read_varuint(content, 0)
    key, (size, start) = content[at : at + length].decode(), read_varuint(content, at + length)
    name = kind_of(key)
    if name is None or size != len(content) - start:
        return None
    value = json.loads(content[start:])
    if value is None:
        return None
    if size > MOST_MARK or not isinstance(value, dict):
        return key, canonical(value)
    # The engine forgets the order of attributes, and an honest page repeats what it was sent.
    fits = any(key == key_of(name, ordered) for ordered in _orders(value))
    return None if fits else (key, canonical(value))


def _orders(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield value
    yield {each: value[each] for each in (*_ORDER, *value) if each in value}
    for order in islice(permutations(value.items()), _MOST_ORDERS):
        yield dict(order)


def _any(value: Any) -> bytes:
    """Encode a value of JSON to the bit as lib0's `encodeAny`."""
    match value:
        case None:
            return b"\x7e"
        case bool():
            return b"\x78" if value else b"\x79"
        case int() | float():
            return _number(value)
        case str():
            return b"\x77" + sized(value.encode("utf-8", "replace"))
        case list():
            return b"\x75" + varuint(len(value)) + b"".join(map(_any, value))
        case _:
            entries = [sized(key.encode("utf-8", "replace")) + _any(each) for key, each in value.items()]
            return b"\x76" + varuint(len(value)) + b"".join(entries)


def _number(value: float) -> bytes:
    """Encode a number in the shortest form of lib0's that loses nothing."""
    if math.isfinite(value) and value == int(value) and abs(value) < 2**31:
        size, sign = abs(int(value)), 0x40 if math.copysign(1, value) < 0 else 0
        first = sign | size & 0x3F
        return b"\x7d" + (bytes((first,)) if size < 0x40 else bytes((first | 0x80,)) + varuint(size >> 6))
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return b"\x7b" + struct.pack(">d", value)
    return b"\x7c" + short if struct.unpack(">f", short)[0] == value else b"\x7b" + struct.pack(">d", value)
