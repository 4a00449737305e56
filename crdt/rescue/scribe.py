"""Scribe: what the server writes and deletes in answer to one update, and who is whose heir."""

from collections.abc import Iterable
from typing import TypeVar, cast

from crdt.ids import ClientId
from crdt.protocol.links import Links
from crdt.rescue.sequences import Branch, Change, Piece, Sequences, encode_units
from crdt.yjs.contents import ANY, STRING, TYPE, XML_ELEMENT, XML_TEXT
from crdt.yjs.items import Id, Item
from crdt.yjs.varint import sized, varuint
from crdt.yjs.writing import write_struct, write_update

RESCUER = ClientId(0)
"""Client id of everything that a rescue writes.

The id is small, so that rescued words stand before what their author types on at the same place.
"""


class Scribe:
    """The server's answer to one update, as it grows."""

    def __init__(self, sequences: Sequences, change: Change) -> None:
        self.sequences = sequences
        self.change = change
        self._begun = sequences.end(RESCUER)
        self._deleted: list[tuple[int, int, int]] = []
        self._linked: list[tuple[int, int, int]] = []
        self._copied: list[tuple[int, int, int]] = []
        self._joins: list[Id] = []

    # Writing.

    def write(
        self,
        kind: int,
        text: str | None,
        content: bytes,
        branch: Branch,
        left: Piece | None,
        *,
        key: str | None = None,
    ) -> Piece:
        """Write content into a branch behind a piece, or first with None, or under a map key."""
        right = None
        if key is not None:
            left = branch.attributes.get(key)
        else:
            right = left.right if left else branch.start
        length = len(text) if text is not None else 1
        clock = self.sequences.end(RESCUER)
        origin = None if left is None else left.last
        right_origin = None if right is None else right.id
        piece = Piece(RESCUER, clock, length, kind, text, content, origin, right_origin, self.change.turn)
        self.sequences.place(piece, branch, key)
        return piece

    def copy(self, piece: Piece, branch: Branch, left: Piece | None) -> Piece:
        """Write a copy of a text, format or embed, which becomes its heir."""
        made = self.write(piece.kind, piece.text, piece.content, branch, left)
        self.link(piece, made.id)
        self.derive(made, piece)
        return made

    def open_text(self, branch: Branch, left: Piece | None) -> tuple[Piece, Branch]:
        """Write an empty text into an element."""
        return self._open(XML_TEXT, None, varuint(XML_TEXT), branch, left)

    def open_element(self, name: str, branch: Branch, left: Piece | None) -> tuple[Piece, Branch]:
        """Write an empty element."""
        return self._open(XML_ELEMENT, name, varuint(XML_ELEMENT) + sized(name.encode()), branch, left)

    def _open(
        self, reference: int, name: str | None, content: bytes, branch: Branch, left: Piece | None
    ) -> tuple[Piece, Branch]:
        piece = self.write(TYPE, None, content, branch, left)
        piece.type = Branch(piece, reference, name, is_rich=branch.is_rich)
        return piece, piece.type

    def copy_attributes(self, old: Branch, new: Branch) -> None:
        """Write the attributes of an element to its copy."""
        for key, piece in old.attributes.items():
            if piece.kind == ANY and not piece.alone:
                self.link(piece, self.write(ANY, None, piece.content, new, None, key=key).id)

    def delete(self, piece: Piece) -> None:
        """Delete a piece, with all that is in it."""
        if piece.dead:
            return
        self._deleted.append((piece.client, piece.clock, piece.clock + piece.length))
        piece.dead = piece.alone = True
        piece.killed_at = self.change.seq
        if piece.type is not None:
            self.sequences.kill(piece.type, self.change.seq, None, [])

    # Linking.

    def link(self, piece: Piece, heir: Id, *, as_whole: bool | None = None) -> None:
        """Let a piece live on in its heir, unless the heir itself lives on in the piece."""
        at = heir
        while (heirs := self.sequences.find(*at)).dead and heirs.heir is not None:
            if heirs is piece:
                return
            self.sequences.spend(1)
            at = (heirs.heir[0], heirs.heir[1] + at[1] - heirs.clock)
        if heirs is piece:
            return
        piece.heir = heir
        if as_whole is not None:
            piece.as_whole = as_whole
        self._linked.append((piece.client, piece.clock, piece.clock + piece.length))

    def move(self, piece: Piece) -> None:
        """Note that a piece with an heir moved away in this row."""
        piece.moved_at = self.change.seq

    def derive(self, piece: Piece, source: Piece) -> None:
        """Note what a piece is a copy of."""
        piece.source = source.id
        self._copied.append((piece.client, piece.clock, piece.clock + piece.length))

    def note_join(self, behind: Id) -> None:
        """Note that a line was joined to another one, behind a character."""
        self.sequences.joined[behind] = None
        self._joins.append(behind)

    @property
    def has_written(self) -> bool:
        return bool(self._deleted) or self.sequences.end(RESCUER) > self._begun

    def update(self) -> bytes:
        """Encode what was written and deleted as an update in the clients' form."""
        end = self.sequences.end(RESCUER)
        # Read anew, because later writing may have cut what was written.
        written: list[list[Piece]] = []
        for piece in self.sequences.between(RESCUER, self._begun, end):
            if written and _goes_on(written[-1][-1], piece):
                written[-1].append(piece)
            else:
                written.append([piece])
        structs = list(map(_struct, written))
        blocks: dict[int, tuple[int, list[bytes]]] = {RESCUER: (self._begun, structs)} if structs else {}
        return write_update(blocks, ranges_of(self._deleted))

    def links(self) -> Links:
        """Return the heirs and sources that came with this update."""
        heirs = [
            (client, piece.clock, piece.length, *piece.heir, int(piece.as_whole))
            for client, first, end in ranges_of(self._linked)
            for piece in self.sequences.between(client, first, end)
            if piece.heir is not None
        ]
        sources = [
            (client, piece.clock, piece.length, *piece.source)
            for client, first, end in ranges_of(self._copied)
            for piece in self.sequences.between(client, first, end)
            if piece.source is not None
        ]
        # Joined, so that they do not depend on how the pieces were cut before.
        return Links(tuple(_joined(heirs)), tuple(_joined(sources)), tuple(self._joins))


Link = TypeVar("Link", bound=tuple[int, ...])


def _joined(links: list[Link]) -> list[Link]:
    """Join links of characters that follow on one another, and whose heirs do as well."""
    joined: list[Link] = []
    for link in links:
        client, clock, length, other, other_clock, *rest = link
        last = joined[-1] if joined else None
        if last is not None and (last[0], last[1] + last[2], last[3], last[4] + last[2], *last[5:]) == (
            client, clock, other, other_clock, *rest,
        ):  # fmt: skip
            joined[-1] = cast(Link, (*last[:2], last[2] + length, *last[3:]))
        else:
            joined.append(link)
    return joined


def _goes_on(piece: Piece, after: Piece) -> bool:
    """Whether Yjs would join two strings."""
    return (
        piece.kind == after.kind == STRING
        and after.origin == piece.last
        and after.right_origin == piece.right_origin
        and after.dead == piece.dead
    )


def _struct(pieces: list[Piece]) -> bytes:
    """Encode pieces that go on as one Yjs struct."""
    piece, branch = pieces[0], pieces[0].branch
    parent = None
    if branch is not None:
        parent = branch.name if branch.piece is None else branch.piece.id
    beside = piece.origin, piece.right_origin
    key = None if any(beside) else piece.key
    item = Item(piece.client, piece.clock, piece.length, piece.kind, *beside, parent, key, None)
    content = piece.content
    if piece.kind == STRING:
        content = sized(encode_units("".join([each.text or "" for each in pieces])))
    return write_struct(item, content, keyed=piece.key is not None)


def ranges_of(ranges: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Sort ranges of clocks (client id, first clock, clock behind), and join those that touch."""
    joined: list[tuple[int, int, int]] = []
    for client, first, end in sorted(ranges):
        if joined and joined[-1][0] == client and joined[-1][2] >= first:
            joined[-1] = (client, joined[-1][1], max(joined[-1][2], end))
        else:
            joined.append((client, first, end))
    return joined
