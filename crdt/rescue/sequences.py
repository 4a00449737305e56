"""Sequences: a document's contents in Yjs' order, with everything that was deleted.

Yjs forgets what stood in a deleted block, and in which order. The rescue needs exactly that: who
stood beside whom, and where the same characters live on. So this module integrates updates by Yjs'
own rule (YATA), and forgets nothing.

A `Piece` is one struct or a part of one. A `Branch` is a root or a shared type. A piece that was
deleted may have an *heir*: the piece with the same characters that lives in its place. Heirs have
heirs in their turn.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import cast

import orjson
from msgspec import Struct, field

from crdt.errors import Code, InvariantError
from crdt.protocol.links import Links
from crdt.yjs.contents import ANY, DELETED, EMBED, FORMAT, GC, STRING, TYPE, XML_ELEMENT, XML_TEXT
from crdt.yjs.items import Id, ItemReader
from crdt.yjs.varint import check_state_vector, read_varuint, sized

KEPT = frozenset({STRING, FORMAT, EMBED, TYPE, ANY})
"""Kinds of content whose bytes are kept. Of others only the place is."""


class Branch:
    """A root or a shared type.

    Attributes:
        piece: the piece that opened the type; None for a root.
        reference: the type reference (crdt/yjs/contents.py); None for a root.
        name: an element's name, or a root's.
        is_rich: whether the branch is in a root of rich text.
        attributes: the present value under each map key.
        has_texts: whether a text was ever put into its sequence.
    """

    __slots__ = ("attributes", "has_texts", "is_rich", "name", "piece", "reference", "start")

    def __init__(self, piece: "Piece | None", reference: int | None, name: str | None, *, is_rich: bool) -> None:
        self.piece = piece
        self.reference = reference
        self.name = name
        self.is_rich = is_rich
        self.start: Piece | None = None
        self.attributes: dict[str, Piece] = {}
        self.has_texts = False

    @property
    def is_alive(self) -> bool:
        return self.piece is None or not self.piece.dead

    @property
    def is_element(self) -> bool:
        return self.reference == XML_ELEMENT

    def pieces(self) -> Iterator["Piece"]:
        """Yield the sequence, dead pieces included."""
        piece = self.start
        while piece is not None:
            yield piece
            piece = piece.right


class Piece(Struct, eq=False):
    """Consecutive characters of one client id in one place, or one other content.

    Attributes:
        text: a string's UTF-16 units, each as one character; None for other contents.
        content: the bytes of another content; empty for strings, and for contents that were
            forgotten.
        branch: the branch that the piece is in; None if that is not known.
        key: its map key, if it is no part of a sequence.
        type: the branch that it opens.
        turn: the number of the update that brought it.
        named: the number of the last update that has deleted it by name; 0 for none.
        was_dead: whether it was dead before the update `named`.
        killed_at: the row in which it was deleted, or came into a branch that was dead already; 0
            if neither is known.
        killer: the client id that deleted it, if known.
        alone: it was deleted by itself, not with its branch. For a map key, it was removed.
        heir: the id of the first character's heir. The heirs of the others follow.
        as_whole: the heir came with a copy of the whole block, not with a part that was moved.
        moved_at: the row in which it got its heir.
        source: the id of the first character that it is a copy of.
    """

    client: int
    clock: int
    length: int
    kind: int
    text: str | None
    content: bytes
    origin: Id | None
    right_origin: Id | None
    turn: int
    left: "Piece | None" = None
    right: "Piece | None" = None
    branch: Branch | None = None
    type: Branch | None = None
    key: str | None = None
    heir: Id | None = None
    source: Id | None = None
    killer: int | None = None
    named: int = 0
    killed_at: int = 0
    moved_at: int = 0
    dead: bool = False
    alone: bool = False
    as_whole: bool = False
    was_dead: bool = False

    @property
    def id(self) -> Id:
        return self.client, self.clock

    @property
    def last(self) -> Id:
        """The id of the last character."""
        return self.client, self.clock + self.length - 1


class Change(Struct):
    """What one update has done.

    Attributes:
        author: the client id of the session that said it, if known.
        fresh: the pieces that it brought.
        named: the pieces that it has deleted.
        already: the pieces that it has deleted too, because its author did not know that they were
            deleted.
        collateral: what died with its branch, unknown to who deleted the branch.
        unset: the attributes that it has removed from blocks that were dead already.
    """

    turn: int
    seq: int
    after: int | None
    author: int | None = None
    fresh: list[Piece] = field(default_factory=list)
    named: list[Piece] = field(default_factory=list)
    already: list[Piece] = field(default_factory=list)
    collateral: list[Piece] = field(default_factory=list)
    unset: list[Piece] = field(default_factory=list)


MOST_WORK = 20_000_000
"""Steps of hard work, some 0.5 µs each, if nothing else is allowed."""

Entry = tuple[Piece, Id | str | None, str | None]
"""A new piece, with the parent and the map key that its struct names."""

NEAR = 64
"""Rows. An update without `after` that deletes what died longer ago repeats old deletions.

Clients that send whole states say again everything that was ever deleted.
"""


class Sequences:
    """All branches of one document. `rich_roots`: the names of the roots with rich text."""

    def __init__(self, rich_roots: frozenset[str]) -> None:
        self._rich_roots = rich_roots
        self._clients: dict[int, tuple[list[int], list[Piece]]] = {}
        """First clocks, and pieces, by client id."""
        self.roots: dict[str, Branch] = {}
        self.joined: dict[Id, None] = {}
        """Characters behind which a line was joined to theirs."""
        self.turn = 0
        self._seq = 0
        """The row that is being taken."""
        self._rows = array("Q", (0,))
        """The row that was taken in each turn."""
        self.pieces = 0
        """Number of pieces."""
        self._work_left = MOST_WORK
        self.noted: tuple[dict[Piece, None], ...] = ()
        """Pieces that somebody has noted. Once such a piece is cut, both parts are noted."""

    def allow(self, steps: int) -> None:
        """Allow so many steps of hard work from now on."""
        self._work_left = steps

    def spend(self, steps: int) -> None:
        """Count work that may grow faster than the bytes that ask for it.

        Raises InvariantError when more is done than was allowed. The sequences are useless then.
        """
        self._work_left -= steps
        if self._work_left < 0:
            raise InvariantError("A rescue takes too much work here.", Code.INTERNAL)

    # Finding.

    def find(self, client: int, clock: int) -> Piece:
        """Return the piece that holds an id, which must be known."""
        clocks, pieces = self._clients[client]
        return pieces[bisect_right(clocks, clock) - 1]

    def end(self, client: int) -> int:
        """Return the clock behind a client id's last piece."""
        known = self._clients.get(client)
        return known[1][-1].clock + known[1][-1].length if known else 0

    def knows(self, reference: Id | str | None) -> bool:
        return not isinstance(reference, tuple) or reference[1] < self.end(reference[0])

    def all(self) -> Iterator[Piece]:
        """Yield every piece, by client id and clock."""
        for _, pieces in self._clients.values():
            yield from pieces

    # Cutting.

    def cut(self, piece: Piece, at: int) -> Piece:
        """Cut a piece in two behind `at` characters; return the second part."""
        text = piece.text
        rest = Piece(
            piece.client,
            piece.clock + at,
            piece.length - at,
            piece.kind,
            text and text[at:],
            piece.content,
            (piece.client, piece.clock + at - 1),
            piece.right_origin,
            piece.turn,
        )
        piece.length, piece.text = at, text and text[:at]
        rest.branch, rest.key, rest.killer = piece.branch, piece.key, piece.killer
        rest.named, rest.killed_at, rest.moved_at = piece.named, piece.killed_at, piece.moved_at
        rest.dead, rest.alone, rest.as_whole, rest.was_dead = piece.dead, piece.alone, piece.as_whole, piece.was_dead
        rest.heir = piece.heir and (piece.heir[0], piece.heir[1] + at)
        rest.source = piece.source and (piece.source[0], piece.source[1] + at)
        rest.left, rest.right = piece, piece.right
        if piece.right is not None:
            piece.right.left = rest
        piece.right = rest
        clocks, pieces = self._clients[piece.client]
        place = bisect_right(clocks, piece.clock)
        clocks.insert(place, rest.clock)
        pieces.insert(place, rest)
        self.pieces += 1
        for noted in self.noted:
            if piece in noted:
                noted[rest] = None
        return rest

    def starting(self, client: int, clock: int) -> Piece:
        """Return the piece that begins with an id."""
        piece = self.find(client, clock)
        return piece if piece.clock == clock else self.cut(piece, clock - piece.clock)

    def ending(self, client: int, clock: int) -> Piece:
        """Return the piece that ends with an id."""
        piece = self.find(client, clock)
        if piece.clock + piece.length - 1 != clock:
            self.cut(piece, clock - piece.clock + 1)
        return piece

    def between(self, client: int, first: int, end: int) -> Iterator[Piece]:
        """Yield the pieces of a range of clocks, cut at its ends.

        Raises InvariantError for a range that is not known.
        """
        if end > self.end(client):
            raise InvariantError("An update deletes what the log does not have.", Code.INTERNAL)
        while first < end:
            piece = self.starting(client, first)
            if piece.clock + piece.length > end:
                self.cut(piece, end - piece.clock)
            yield piece
            first = piece.clock + piece.length

    # Integrating.

    def place(self, piece: Piece, branch: Branch | None = None, key: str | None = None) -> None:
        """Put a new piece where Yjs puts it. `branch` and `key` count if it has no neighbours."""
        left = self.ending(*piece.origin) if piece.origin else None
        right = self.starting(*piece.right_origin) if piece.right_origin else None
        if left is not None:
            branch, key = left.branch, left.key
        elif right is not None:
            branch, key = right.branch, right.key
        piece.branch, piece.key = branch, key
        self._record(piece)
        if branch is None:
            piece.dead = True
            return
        if key is None:
            self._line_up(piece, branch, left, right)
            if piece.type is not None and piece.type.reference == XML_TEXT:
                branch.has_texts = True
        else:
            self._set_attribute(branch, key, piece)
        piece.dead = piece.dead or not branch.is_alive
        if piece.kind == DELETED:
            piece.dead = piece.alone = True

    def _record(self, piece: Piece) -> None:
        clocks, pieces = self._clients.setdefault(piece.client, ([], []))
        clocks.append(piece.clock)
        pieces.append(piece)
        self.pieces += 1

    def _line_up(self, piece: Piece, branch: Branch, left: Piece | None, right: Piece | None) -> None:
        """Find the place among pieces that others have put at the same place meanwhile."""
        other = left.right if left else branch.start
        if other is not right:
            left = self._left_among(piece, other, left, right)
        piece.left = left
        piece.right = left.right if left else branch.start
        if left is not None:
            left.right = piece
        else:
            branch.start = piece
        if piece.right is not None:
            piece.right.left = piece

    def _set_attribute(self, branch: Branch, key: str, piece: Piece) -> None:
        before = branch.attributes.get(key)
        gone: Piece | None = piece
        if before is None or piece.origin == before.last or piece.client >= before.client:
            branch.attributes[key] = piece
            gone = before
        if gone is not None and not gone.dead:
            gone.dead, gone.killed_at = True, self._seq

    def _left_among(self, piece: Piece, other: Piece | None, left: Piece | None, right: Piece | None) -> Piece | None:
        """Return the left neighbour by Yjs' rule, of what stands from `other` on before `right`."""
        passed: set[Piece] = set()
        conflicting: set[Piece] = set()
        while other is not None and other is not right:
            passed.add(other)
            conflicting.add(other)
            if other.origin == piece.origin:
                if other.client < piece.client:
                    left = other
                    conflicting.clear()
                elif other.right_origin == piece.right_origin:
                    break
            elif other.origin is not None and (home := self.find(*other.origin)) in passed:
                if home not in conflicting:
                    left = other
                    conflicting.clear()
            else:
                break
            other = other.right
        self.spend(len(passed))
        return left

    def row_of(self, piece: Piece) -> int:
        """Return the row that brought a piece; of a snapshot, the last row in it."""
        return self._rows[piece.turn]

    def root_of(self, piece: Piece) -> Piece:
        """Return what a copy is a copy of in the end; cut the copy where that has another one."""
        source = piece
        while source.source is not None:
            self.spend(1)
            source = self.starting(*source.source)
            if source.length < piece.length:
                self.cut(piece, source.length)
        return source

    def root(self, name: str) -> Branch:
        found = self.roots.get(name)
        if found is None:
            found = self.roots[name] = Branch(None, None, name, is_rich=name in self._rich_roots)
        return found

    def take(
        self, update: bytes, seq: int, after: int | None = None, author: int | None = None, known: bytes = b""
    ) -> Change:
        """Integrate one update of row `seq`, in the clients' form.

        `after`: the last row that its author had applied; None if not known. `author`: the author's
        client id, by default the one that the update's first struct has. `known`: a state vector
        that the author had before, or empty. Raises InvariantError for
        an update whose past is not here; the sequences are useless then.
        """
        if not self._seq and self.turn:
            self._rows[self.turn] = seq - 1  # the snapshot's
        self.turn, self._seq = self.turn + 1, seq
        self._rows.append(seq)
        change = Change(self.turn, seq, after)
        reader = ItemReader(update)
        self._integrate(self._read(reader, update), change)
        if author is None and change.fresh:
            author = change.fresh[0].client
        change.author = author
        ranges = list(reader.deleted())
        if ranges:
            # An update whose content is all known was taken before, or is a state. What it deletes
            # anew counts.
            clocks = check_state_vector(known) if known and after is None else {}
            self._delete(ranges, change, author, clocks, repeats=not change.fresh and reader.count > 0)
        return change

    def _read(self, reader: ItemReader, update: bytes) -> Iterator[Entry]:
        for item in reader.items():
            if item.clock + item.length <= self.end(item.client):
                continue
            text = _units(item.content, item.length) if isinstance(item.content, bytes) else None
            content = update[reader.content_at : reader.at] if item.kind in KEPT and text is None else b""
            if item.kind == FORMAT:
                content = _sorted(content)
            piece = Piece(
                item.client,
                item.clock,
                item.length,
                item.kind,
                text,
                content,
                item.origin,
                item.right_origin,
                self.turn,
            )
            if item.kind == TYPE and isinstance(item.content, list):
                reference, name = cast(tuple[int, str | None], item.content[0])
                piece.type = Branch(piece, reference, name, is_rich=False)
            yield piece, item.parent, item.key

    def adopt(self, links: Links, seq: int) -> None:
        """Take over the heirs and sources of row `seq`, whose updates were taken."""
        for client, clock, length, heir, heir_clock, as_whole in links.heirs:
            for piece, at in self._pieces_of_links(client, clock, length, heir, heir_clock):
                piece.heir = heir, heir_clock + at
                piece.as_whole, piece.moved_at = bool(as_whole), seq
        for client, clock, length, source, source_clock in links.sources:
            for piece, at in self._pieces_of_links(client, clock, length, source, source_clock):
                piece.source = source, source_clock + at
        self.joined |= dict.fromkeys(links.joins)

    def _pieces_of_links(
        self, client: int, clock: int, length: int, other: int, first: int
    ) -> Iterator[tuple[Piece, int]]:
        """Yield the pieces of a range, and where they begin in it.

        They are cut where the other range is cut, as they were when the links were written: the
        characters of one piece live on beside one another.
        """
        at = 0
        while at < length:
            partner = self.find(other, first + at)
            end = min(length, partner.clock + partner.length - first)
            if end <= at:
                raise InvariantError("Links name what the log does not have.", Code.INTERNAL)
            for piece in self.between(client, clock + at, clock + end):
                yield piece, piece.clock - clock
            at = end

    def load(self, snapshot: bytes, remembered: Mapping[int, Sequence[Piece]]) -> None:
        """Take a snapshot, in which remembered pieces stand as deleted or garbage-collected.

        `remembered`: pieces by client id, sorted by clock. Call `reopen` for their branches then.
        Raises InvariantError if the snapshot has something else in their place.
        """
        self.turn += 1
        self._rows.append(0)
        reader = ItemReader(snapshot)
        entries: list[Entry] = []
        for entry in self._read(reader, snapshot):
            entries += _around(entry, remembered.get(entry[0].client, ()))
        self._integrate(entries, Change(self.turn, 0, None))
        for client, first, end in reader.deleted():
            for piece in self.between(client, first, end):
                piece.dead = True
                piece.alone = piece.branch is not None and piece.branch.is_alive

    def reopen(self, frame: Id, branch: Branch, spans: Iterable[tuple[int, int, int]]) -> None:
        """Put remembered pieces into their branch, in order. `spans`: their ranges of clocks."""
        piece = self.starting(*frame)
        if piece.length > 1:
            self.cut(piece, 1)
        piece.kind, piece.type, branch.piece = TYPE, branch, piece
        last: Piece | None = None
        for client, first, end in spans:
            for each in self.between(client, first, end):
                each.branch = branch
                if each.key is not None:
                    branch.attributes[each.key] = each
                    continue
                if each.type is not None and each.type.reference == XML_TEXT:
                    branch.has_texts = True
                each.left, each.right = last, None
                if last is None:
                    branch.start = each
                else:
                    last.right = each
                last = each

    def _integrate(self, entries: Iterable[Entry], change: Change) -> None:
        """Place the entries of each client id in their order, and each behind what it names."""
        waiting: dict[int, list[Entry]] = {}
        for entry in entries:
            waiting.setdefault(entry[0].client, []).append(entry)
        for queue in waiting.values():
            queue.reverse()
        for client in waiting:
            needed = {client: None}  # in order: each waits for the next one
            while needed:
                own = waiting[next(reversed(needed))]
                missing = self._missing(own[-1]) if own else None
                if missing is None:
                    if own:
                        self._add(own.pop(), change)
                    if not own or len(needed) > 1:
                        needed.popitem()  # whoever waited may go on: people take turns
                elif missing in needed or not waiting.get(missing):
                    raise InvariantError("An update builds on changes that the log does not have.", Code.INTERNAL)
                else:
                    needed[missing] = None

    def _missing(self, entry: Entry) -> int | None:
        """Return the client id of something that an entry names and that is not known yet."""
        piece, parent, _ = entry
        for reference in (piece.origin, piece.right_origin, parent):
            if isinstance(reference, tuple) and not self.knows(reference):
                return reference[0]
        return None

    def _add(self, entry: Entry, change: Change) -> None:
        piece, parent, key = entry
        if piece.dead:  # remembered: its branch is still to come
            self._record(piece)
            return
        known_end = self.end(piece.client)
        if piece.clock < known_end:
            _cut_known(piece, known_end)
        branch = self.root(parent) if isinstance(parent, str) else None
        if isinstance(parent, tuple):
            branch = self.find(*parent).type
        self.place(piece, branch, key)
        if piece.type is not None and piece.branch is not None:
            piece.type.is_rich = piece.branch.is_rich
        if piece.branch is None or not piece.branch.is_alive:
            piece.killed_at = change.seq
        change.fresh.append(piece)

    def _delete(
        self,
        ranges: list[tuple[int, int, int]],
        change: Change,
        author: int | None,
        known: Mapping[int, int],
        *,
        repeats: bool = False,
    ) -> None:
        found = [piece for client, first, end in ranges for piece in self.between(client, first, end)]
        repeats = repeats or (
            change.after is None
            and any(
                piece.dead and 0 < piece.killed_at < change.seq - NEAR and piece.turn != self.turn for piece in found
            )
        )
        removed: list[Piece] = []
        for piece in found:
            if piece.key is not None and not piece.dead:
                piece.killed_at = change.seq
                removed.append(piece)
            elif (
                piece.key is not None
                and piece.heir is not None
                and not (repeats or piece.alone or _has_heir(piece, known))
            ):
                change.unset.append(piece)
            elif piece.key is None and piece.branch is not None:
                if piece.dead and piece.turn != self.turn:
                    if repeats or _is_known_dead(piece, change.after, author) or _has_heir(piece, known):
                        continue
                    change.already.append(piece)
                else:
                    change.named.append(piece)
                    piece.killed_at, piece.killer = change.seq, author
                piece.named = self.turn
            piece.was_dead, piece.dead = piece.dead, True
        for piece in change.named:
            if piece.type is not None:
                self.kill(piece.type, change.seq, author, change.collateral)
        for piece in chain(change.named, removed):
            piece.alone = piece.branch is not None and piece.branch.is_alive
        # Who deletes a block deletes its attributes with it, and removes none.
        change.unset = [piece for piece in change.unset if not self._is_deleted_with(piece)]

    def _is_deleted_with(self, attribute: Piece) -> bool:
        frame = None if attribute.branch is None else attribute.branch.piece
        return frame is None or not frame.dead or frame.named == self.turn

    def kill(self, branch: Branch, seq: int, author: int | None, killed: list[Piece]) -> None:
        """Let everything die that lives in a branch, and add it to `killed`."""
        stack = [chain(branch.pieces(), branch.attributes.values())]
        while stack:  # not recursive, because documents may be nested deeply
            piece = next(stack[-1], None)
            if piece is None:
                stack.pop()
            elif not piece.dead:
                piece.dead, piece.killed_at, piece.killer = True, seq, author
                killed.append(piece)
                if piece.type is not None:
                    stack.append(chain(piece.type.pieces(), piece.type.attributes.values()))


def _around(entry: Entry, remembered: Sequence[Piece]) -> Iterator[Entry]:
    """Yield an entry of a snapshot, with remembered pieces in the place of what was deleted."""
    whole, parent, key = entry
    at, end = whole.clock, whole.clock + whole.length
    first = bisect_right(remembered, at, key=lambda piece: piece.clock + piece.length - 1)
    for piece in remembered[first:]:
        if piece.clock >= end:
            break
        if whole.kind not in {GC, DELETED} or piece.clock < at or piece.clock + piece.length > end:
            raise InvariantError("A snapshot disagrees with what is remembered of it.", Code.INTERNAL)
        if piece.clock > at:
            yield _part(whole, at, piece.clock), parent, key
        yield piece, None, None
        at = piece.clock + piece.length
    if at == whole.clock:
        yield entry
    elif at < end:
        yield _part(whole, at, end), parent, key


def _part(whole: Piece, at: int, end: int) -> Piece:
    before = whole.origin if at == whole.clock else (whole.client, at - 1)
    origin = None if whole.kind == GC else before
    return Piece(whole.client, at, end - at, whole.kind, None, b"", origin, whole.right_origin, whole.turn)


def _is_known_dead(piece: Piece, after: int | None, author: int | None) -> bool:
    """Whether the author of a deletion knew that the piece was dead."""
    if not piece.killed_at:
        return False
    return (author is not None and piece.killer == author) or (after is not None and piece.killed_at <= after)


def _has_heir(piece: Piece, known: Mapping[int, int]) -> bool:
    """Whether somebody who had reached these clocks has the piece's heir.

    The heir came with the deletion of the piece, so they have that as well, and only say it again.
    """
    return piece.heir is not None and piece.heir[1] < known.get(piece.heir[0], 0)


def _cut_known(piece: Piece, end: int) -> None:
    """Leave of a piece only what is not known yet."""
    at = end - piece.clock
    piece.origin = (piece.client, end - 1)
    piece.clock, piece.length, piece.text = end, piece.length - at, piece.text and piece.text[at:]


def _sorted(content: bytes) -> bytes:
    """Return a format with the keys of its value sorted: a fold leaves them in any order."""
    if content.count(b":") < 2:
        return content
    length, at = read_varuint(content, 0)
    _, value = read_varuint(content, at + length)
    try:
        raw = orjson.dumps(orjson.loads(content[value:]), option=orjson.OPT_SORT_KEYS)
    except ValueError:
        return content
    return content[: at + length] + sized(raw)


def _units(raw: bytes, length: int) -> str:
    text = raw.decode("utf-16-le", "surrogatepass")
    return text if len(text) == length else "".join(map(chr, memoryview(raw).cast("H")))


def encode_units(units: str) -> bytes:
    """Encode UTF-16 units as a text's UTF-8 bytes."""
    if units.isascii():
        return units.encode()
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def words_of(branch: Branch) -> str:
    """Return what lives in a branch as text with tags, for tests and for messages."""
    out: list[str] = []
    for piece in branch.pieces():
        if piece.dead:
            continue
        if piece.text is not None:
            out.append(piece.text)
        elif piece.type is not None:
            inner = words_of(piece.type)
            out.append(f"<{piece.type.name}>{inner}</>" if piece.type.is_element else inner)
    return "".join(out)
