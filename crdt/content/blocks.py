"""Blocks of a document: what stands directly in the rich text, each with an id.

A block's id is that of its Yjs item: the client id, a dot, and the clock. Nothing is written into
the document for it. An id stays for as long as the block lives, and never names another block. A
block that only reading has added (crdt/content/tree.py) has no id.

Hostile content can make reading endless, so that only the sandbox may use this module.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from msgspec import Struct
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.schema import SCHEMA, missing
from crdt.content.tree import Node, empty, read_element, read_words
from crdt.errors import Code, ProtocolError
from crdt.rescue.sequences import Piece, Sequences
from crdt.yjs.contents import TYPE, XML_ELEMENT, XML_TEXT
from crdt.yjs.items import Id, ItemReader
from crdt.yjs.wrapping import unwrap

MOST_WORK = 10**9
"""Steps for putting blocks in their order. The sandbox's own limit comes first."""


class Block(Struct, frozen=True):
    """A block as it stands in the document.

    Attributes:
        id: the id of its Yjs item; None for a block that reading has added.
        at: its place among the children of the rich text.
        width: how many of these children it is. Several texts beside one another are one block.
        node: what it says.
    """

    id: Id | None
    at: int
    width: int
    node: Node


class Blocks:
    """The blocks of a document at one moment, or the first ones.

    Raises ProtocolError(too_large) if the content is nested too deeply.
    """

    def __init__(self, doc: "Doc[Any]", most: int | None = None) -> None:
        self._sequences = Sequences(frozenset({SCHEMA.fragment}))
        self._sequences.allow(MOST_WORK)
        self._sequences.take(unwrap(doc.get_update()), 1)
        self._root = self._sequences.root(SCHEMA.fragment)
        root = doc.get(SCHEMA.fragment, type=XmlFragment)
        with doc.transaction():
            children = list(islice(zip(self._ids(), root.children, strict=True), most))
            self.all = _completed(list(_blocks(children)), len(children))
        self._by_id = {block.id: block for block in self.all if block.id is not None}

    def check_rich_text(self) -> None:
        """Raise ProtocolError(other_format) if the root holds anything but rich text.

        Other editors keep a text, a list or a map under the same name.
        """
        living = [piece for piece in self._root.pieces() if not piece.dead]
        keyed = [piece for piece in self._root.attributes.values() if not piece.dead]
        if keyed or not all(map(_is_block, living)):
            message = "What this document holds is not rich text, so that it has no blocks to edit."
            raise ProtocolError(Code.OTHER_FORMAT, message)

    def find(self, block_id: Id) -> Block | None:
        """Return the block with this id, if it lives."""
        return self._by_id.get(block_id)

    def holds(self, place: Id) -> bool:
        """Whether an id is that of a block, living or not."""
        client, clock = place
        return clock < self._sequences.end(client) and self._sequences.find(client, clock).branch is self._root

    def touched(self, updates: Iterable[bytes]) -> set[Id]:
        """Return the ids of the blocks that these updates have written in, or deleted in.

        The updates must be in the document already.
        """
        found: set[Id] = set()
        for update in updates:
            reader = ItemReader(update)
            for item in reader.items():
                found.update(self._tops(item.client, item.clock, item.clock + item.length))
            for client, first, end in reader.deleted():
                found.update(self._tops(client, first, end))
        return found

    def _ids(self) -> Iterator[Id]:
        for piece in self._root.pieces():
            if _is_block(piece) and not piece.dead:
                yield piece.id

    def _tops(self, client: int, first: int, end: int) -> Iterator[Id]:
        """Yield the blocks that hold a range of clocks."""
        end = min(end, self._sequences.end(client))
        while first < end:
            piece = self._sequences.find(client, first)
            top = self._top(piece)
            if top is not None:
                yield top.id
            first = piece.clock + piece.length

    def _top(self, piece: Piece) -> Piece | None:
        """Return the block that a piece is in, or None for what is not in the rich text."""
        while piece.branch is not None and piece.branch.piece is not None:
            piece = piece.branch.piece
        return piece if piece.branch is self._root else None


def _is_block(piece: Piece) -> bool:
    return piece.kind == TYPE and piece.type is not None and piece.type.reference in (XML_ELEMENT, XML_TEXT)


def _blocks(children: Sequence[tuple[Id, Any]]) -> Iterator[Block]:
    numbered = enumerate(children)
    for is_text, group in groupby(numbered, lambda each: isinstance(each[1][1], XmlText)):
        members = list(group)
        if is_text:
            words = read_words([text for _, (_, text) in members])
            if words is not None:
                at, (first, _) = members[0]
                yield Block(first, at, len(members), words)
            continue
        for at, (block_id, child) in members:
            if isinstance(child, XmlElement):
                yield Block(block_id, at, 1, read_element(child))


def _completed(blocks: list[Block], end: int) -> list[Block]:
    before, behind = missing("doc", [block.node.type for block in blocks]) or ((), ())
    return [
        *(Block(None, 0, 0, empty(name)) for name in before),
        *blocks,
        *(Block(None, end, 0, empty(name)) for name in behind),
    ]


def name_of(block_id: Id) -> str:
    """Write a block's id as answers have it."""
    return f"{block_id[0]}.{block_id[1]}"


def id_of(name: str) -> Id | None:
    """Read a block's id, or return None if it is none."""
    client, dot, clock = name.partition(".")
    if not dot or not all(each.isascii() and each.isdigit() and len(each) < 18 for each in (client, clock)):
        return None
    return int(client), int(clock)
