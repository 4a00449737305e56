"""Memory: what the rescue must know of a folded log and a snapshot does not hold.

A snapshot forgets what stood in deleted blocks. Somebody who was away may still write there. So a
fold keeps beside the snapshot the branches that died lately, with the order of their pieces, their
words and their heirs. What died longest ago is dropped first, beyond `MOST_BYTES`.
"""

from collections.abc import Sequence as List

from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

from crdt.protocol.batch import decode_batch
from crdt.protocol.links import Links, decode_links
from crdt.protocol.row import Row
from crdt.rescue.sequences import MOST_WORK, Branch, Piece, Sequences
from crdt.yjs.contents import ANY, FORMAT, STRING

MOST_BYTES = 2**19
"""Bytes of deleted content that are remembered, at about 40 for a piece beside its words."""

MOST_JOINS = 1000
"""Joins of lines that are remembered, the last ones."""

_OF_A_PIECE = 40
_ANY_NUMBER = 2**62
_Kept = tuple[int, int, int, int, str | None, bytes, int, int, int, int, str | None]
"""(client id, clock, length, kind, text, content, origin, right origin, map key); ids in two parts,
-1 for none
"""


class _Branch(Struct, array_like=True):
    """A dead branch: what opened it, and its pieces in order, and then its attributes."""

    client: int
    clock: int
    reference: int
    name: str | None
    pieces: list[_Kept]


class _Mark(Struct, array_like=True):
    client: int
    clock: int
    length: int
    killed_at: int
    moved_at: int
    flags: int
    heir: tuple[int, int] | None
    source: tuple[int, int] | None


class _Memory(Struct, array_like=True):
    branches: list[_Branch]
    loose: list[tuple[int, int, int, str | None, bytes]]
    """Words, formats and attributes that died in a branch that lives: client id, clock, kind, text,
    content.
    """
    marks: list[_Mark]
    joins: list[tuple[int, int]] = []


_write = Encoder().encode
_read = Decoder(_Memory).decode
_AS_WHOLE, _ALONE = 1, 2


def remember(sequences: Sequences) -> bytes:
    """Encode what a snapshot of the document will lack."""
    kept = _recent(sequences)
    memory = _Memory([], [], [])
    dead_branches = [
        piece.type
        for piece in kept
        if piece.type is not None and piece.dead and piece.type.is_rich and piece.type.reference is not None
    ]
    for branch in dead_branches:
        frame = branch.piece
        if frame is not None:
            pieces = [*branch.pieces(), *branch.attributes.values()]
            memory.branches.append(
                _Branch(*frame.id, branch.reference or 0, branch.name, [_kept(each) for each in pieces])
            )
    for piece in kept:
        if piece.kind in {STRING, FORMAT, ANY} and piece.branch is not None and piece.branch.is_alive:
            memory.loose.append((*piece.id, piece.kind, piece.text, piece.content))
    memory.marks = [
        mark for piece in sequences.all() if (piece in kept or piece.source) and (mark := _mark(piece)) is not None
    ]
    memory.joins = list(sequences.joined)[-MOST_JOINS:]
    return _write(memory) if memory.branches or memory.loose or memory.marks or memory.joins else b""


def restore(
    snapshot: bytes | None,
    memory: bytes,
    rows: List[Row],
    rich_roots: frozenset[str],
    most_work: int = MOST_WORK,
) -> Sequences:
    """Build the sequences of a stored document.

    `snapshot` is in the clients' form. Raises InvariantError if they cannot be built with so many
    steps of hard work.
    """
    sequences = Sequences(rich_roots)
    sequences.allow(most_work)
    if snapshot is not None:
        _restore_snapshot(sequences, snapshot, _decode(memory))
    for row in rows:
        follow(sequences, row)
    return sequences


def follow(sequences: Sequences, row: Row) -> None:
    """Take a row of the log that is applied as it is stored."""
    for update in decode_batch(row.batch, max_updates=_ANY_NUMBER):
        sequences.take(update, row.seq)
    sequences.adopt(decode_links(row.heirs), row.seq)


def moved_in(memory: bytes) -> Links:
    """Return who is whose heir by what is remembered."""
    decoded = _decode(memory)
    heirs = [
        (mark.client, mark.clock, mark.length, *mark.heir, mark.flags & _AS_WHOLE)
        for mark in decoded.marks
        if mark.heir is not None
    ]
    return Links(tuple(heirs), joins=tuple(decoded.joins))


def _decode(memory: bytes) -> _Memory:
    try:
        return _read(memory) if memory else _Memory([], [], [])
    except MsgspecError:
        return _Memory([], [], [])


def _recent(sequences: Sequences) -> dict[Piece, None]:
    """Return the dead pieces that fit into the memory, whole branches only, the last dead first."""
    groups: dict[Branch | Piece, list[Piece]] = {}
    for piece in sequences.all():
        if piece.dead and piece.branch is not None and piece.branch.is_rich:
            groups.setdefault(_outermost_dead(piece), []).append(piece)
    kept: dict[Piece, None] = {}
    room = MOST_BYTES
    for group in sorted(groups.values(), key=lambda each: -max(piece.killed_at for piece in each)):
        room -= sum(_OF_A_PIECE + len(piece.text or "") + len(piece.content) for piece in group)
        if room < 0:
            break
        kept |= dict.fromkeys(group)
    return kept


def _outermost_dead(piece: Piece) -> Branch | Piece:
    found: Branch | Piece = piece
    branch = piece.branch
    if piece.type is not None:
        found = piece.type
    while branch is not None and not branch.is_alive and branch.piece is not None:
        found, branch = branch, branch.piece.branch
    return found


def _kept(piece: Piece) -> _Kept:
    origin, right = piece.origin or (-1, -1), piece.right_origin or (-1, -1)
    return (
        piece.client, piece.clock, piece.length, piece.kind, piece.text, piece.content, *origin, *right, piece.key
    )  # fmt: skip


def _mark(piece: Piece) -> _Mark | None:
    flags = _AS_WHOLE * piece.as_whole + _ALONE * piece.alone
    if piece.heir is None and piece.source is None and not piece.killed_at and not flags:
        return None
    return _Mark(*piece.id, piece.length, piece.killed_at, piece.moved_at, flags, piece.heir, piece.source)


def _restore_snapshot(sequences: Sequences, snapshot: bytes, memory: _Memory) -> None:
    remembered: dict[int, list[Piece]] = {}
    for each in memory.branches:
        for kept in each.pieces:
            remembered.setdefault(kept[0], []).append(_piece(kept))
    for pieces in remembered.values():
        pieces.sort(key=lambda piece: piece.clock)
    sequences.load(snapshot, remembered)
    for each in memory.branches:
        branch = Branch(None, each.reference, each.name, is_rich=True)
        spans = [(client, clock, clock + length) for client, clock, length, *_ in each.pieces]
        sequences.reopen((each.client, each.clock), branch, spans)
    for client, clock, kind, text, content in memory.loose:
        at = 0
        for piece in sequences.between(client, clock, clock + (1 if text is None else len(text))):
            piece.kind, piece.content = kind, content
            piece.text = text and text[at : at + piece.length]
            at += piece.length
    sequences.joined = dict.fromkeys(memory.joins)
    for mark in memory.marks:
        for piece in sequences.between(mark.client, mark.clock, mark.clock + mark.length):
            at = piece.clock - mark.clock
            piece.killed_at, piece.moved_at = mark.killed_at, mark.moved_at
            piece.as_whole, piece.alone = bool(mark.flags & _AS_WHOLE), bool(mark.flags & _ALONE)
            piece.heir = mark.heir and (mark.heir[0], mark.heir[1] + at)
            piece.source = mark.source and (mark.source[0], mark.source[1] + at)


def _piece(kept: _Kept) -> Piece:
    client, clock, length, kind, text, content, origin, origin_clock, right, right_clock, key = kept
    piece = Piece(
        client,
        clock,
        length,
        kind,
        text,
        content,
        None if origin < 0 else (origin, origin_clock),
        None if right < 0 else (right, right_clock),
        0,
    )
    piece.key, piece.dead = key, True
    return piece
