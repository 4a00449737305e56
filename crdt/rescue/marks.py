"""Marks that somebody sets on words in their old place, while the words move."""

from collections.abc import Iterable
from itertools import chain

from crdt.rescue.blocks import NO_FORMATS, block_name
from crdt.rescue.formats import NO_VALUE, is_annotation, mark_of, value_of
from crdt.rescue.homes import Homes
from crdt.rescue.pairing import Pairing
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import EMBED, FORMAT, STRING, XML_TEXT

MOST_MOVES = 8
"""Moves of parts of one text, the last ones, whose words get marks that were set before."""


class Marks:
    """Marks that belong on moved words behind one update."""

    def __init__(self, scribe: Scribe, homes: Homes, pairing: Pairing) -> None:
        self._scribe = scribe
        self._homes = homes
        self._pairing = pairing
        self._change = scribe.change
        self._turn = scribe.change.turn

    def carry(self) -> None:
        """Set marks on moved words which somebody has set on them in their old place."""
        moved: dict[Branch, dict[Piece, None]] = {}
        marks: dict[Branch, set[bytes]] = {}
        for old, new in self._pairing.pairs():
            if old.branch is not None and self._pairing.is_split(old, new):
                moved.setdefault(old.branch, {})[old] = None
        for branch, gone in moved.items():
            # Words that have followed the part belong to it.
            gone |= {each: None for each in branch.pieces() if each.kind == STRING and self._has_moved_now(each)}
            others = [each for each in branch.pieces() if each.kind == FORMAT and each.turn != self._turn]
            marks[branch] = {mark_of(each) for each in others}
        for piece in chain(self._change.fresh, self._change.already):
            within = piece.branch
            if piece.kind == FORMAT and within is not None and within.is_alive and within.is_rich:
                marks.setdefault(within, set()).add(mark_of(piece))
        for branch, names in marks.items():
            words = moved.get(branch) or {
                each: None
                for each in branch.pieces()
                if each.kind == STRING and each.heir is not None and self._is_unaware_of(each)
            }
            if words and names:
                self._carry_to(branch, words, names)

    def _has_moved_now(self, piece: Piece) -> bool:
        return piece.heir is not None and piece.moved_at == self._change.seq

    def _is_unaware_of(self, moved: Piece) -> bool:
        after = self._change.after
        return after is not None and moved.moved_at > after and moved.killer != self._change.author

    def _carry_to(self, branch: Branch, words: Iterable[Piece], names: set[bytes]) -> None:
        rows = sorted({piece.moved_at for piece in words})[-MOST_MOVES:]
        for row in rows:
            for name in sorted(names):
                wanted = self._wanted(branch, set(words), name, row)
                for text in dict.fromkeys(piece.branch for piece in wanted):
                    if text is None or text.reference != XML_TEXT:
                        continue
                    if block_name(text) not in NO_FORMATS or is_annotation(name):
                        self._set_mark(text, wanted, name)

    def _wanted(self, branch: Branch, words: set[Piece], name: bytes, row: int) -> dict[Piece, bytes | None]:
        """Return the value that a mark should have on each heir of words that moved in a row."""
        value: bytes | None = None
        wanted: dict[Piece, bytes | None] = {}
        for piece in list(branch.pieces()):
            if piece.kind == FORMAT and mark_of(piece) == name:
                if not piece.dead or (piece.killed_at == row and (piece.named != self._turn or not piece.was_dead)):
                    value = value_of(piece)
            elif piece in words and piece.moved_at == row and piece.heir is not None:
                (client, clock), at = piece.heir, 0
                while at < piece.length:
                    living, length = self._homes.living(client, clock + at, piece.length - at)
                    if not living.dead:
                        wanted[living] = value
                    at += length
        return wanted

    def _set_mark(self, text: Branch, wanted: dict[Piece, bytes | None], name: bytes) -> None:
        """Set a mark where it is wanted otherwise, and leave it as it is behind."""
        scribe = self._scribe
        value: bytes | None = None
        set_: bytes | None = None
        is_within = False
        for piece in list(text.pieces()):
            if piece.dead:
                continue
            if piece.kind == FORMAT and mark_of(piece) == name:
                value = value_of(piece)
                if is_within and piece.turn != self._turn:
                    scribe.delete(piece)
            elif piece.kind in {STRING, EMBED}:
                if piece in wanted and wanted[piece] != (set_ if is_within else value):
                    is_within, set_ = True, wanted[piece]
                    scribe.write(FORMAT, None, name + (set_ or NO_VALUE), text, piece.left)
                elif piece not in wanted and is_within:
                    is_within = False
                    if set_ != value:
                        scribe.write(FORMAT, None, name + (value or NO_VALUE), text, piece.left)
                last = piece
        if is_within and set_ != value:
            scribe.write(FORMAT, None, name + (value or NO_VALUE), text, last)
