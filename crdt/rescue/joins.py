"""Joins: lines that somebody puts at the end of another line while others write there.

Who joins a line to the one before puts its words at the end of that one. What others append to the
same end at that moment belongs before these words. Yjs would order the two by their client ids.
"""

from collections.abc import Iterable

from crdt.rescue.blocks import behind, is_inline
from crdt.rescue.copies import Pair
from crdt.rescue.scribe import RESCUER, Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import EMBED, FORMAT, STRING, TYPE, XML_TEXT

_WORDS = frozenset({STRING, EMBED})


class Joins:
    """What one update has to do with joins."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._sequences = scribe.sequences
        self._turn = scribe.change.turn

    def run(self, pairs: Iterable[Pair]) -> None:
        """Put joined lines last: the update's own, and those that the update has not known."""
        own = {new.branch: old for old, new in reversed(list(pairs)) if self._is_appended(old, new)}
        for text, old in own.items():
            if text is not None:
                joined = [each for each in text.pieces() if each.turn == self._turn and not each.dead]
                if joined[0].origin is not None:
                    self._scribe.note_join(joined[0].origin)
                self._put_last(joined, text, is_next=_is_next(old, text))
        for piece in list(self._scribe.change.fresh):
            if piece.kind in _WORDS and not piece.dead and piece.branch is not None:
                self._put_last(self._passed(piece), piece.branch, is_next=False)

    def _is_appended(self, old: Piece, new: Piece) -> bool:
        """Whether the words of a block that is gone stand at the end of a text that was there."""
        text = new.branch
        if new.dead or new.right_origin is not None or text is None or not text.is_alive or text is old.branch:
            return False
        block = None if old.branch is None or old.branch.piece is None else old.branch.piece.branch
        is_gone = block is not None and block.piece is not None and block.piece.dead
        return is_gone and text.reference == XML_TEXT and text.piece is not None and text.piece.turn != self._turn

    def _passed(self, fresh: Piece) -> list[Piece]:
        """Return the joined words before what somebody has appended without knowing of them."""
        if fresh.origin is None or fresh.origin not in self._sequences.joined or fresh.right_origin is not None:
            return []
        before = self._sequences.find(*fresh.origin)
        if before.dead and before.heir is not None:
            return []  # what is appended follows the heir
        passed: list[Piece] = []
        left = fresh.left
        while left is not None and left.last != fresh.origin:
            self._sequences.spend(1)
            if not left.dead and left.turn != self._turn:
                is_own = left.client == RESCUER and left.source is not None and left.source[0] == fresh.client
                if is_own or (left.kind in _WORDS and left.source is None):
                    break
                passed.append(left)
            left = left.left
        return passed[::-1]

    def _put_last(self, words: list[Piece], text: Branch, *, is_next: bool) -> None:
        """Move words to the end of their text, or of its whole line if that `is_next`."""
        scribe = self._scribe
        if not words:
            return
        within, last = text, words[-1]
        is_last = not any(each.kind in _WORDS and not each.dead for each in behind(last))
        frame = text.piece
        if is_next and frame is not None and frame.branch is not None:
            ends = [each for each in behind(frame) if each.kind == TYPE and each.turn != self._turn and not each.dead]
            if any(is_inline(each) or _has_words(each.type) for each in ends):
                is_last = False
                end = ends[-1].type
                is_text = end is not None and end.reference == XML_TEXT
                within = end if end is not None and is_text else scribe.open_text(frame.branch, ends[-1])[1]
        if is_last:
            return
        at = next(reversed(list(within.pieces())), None)
        if at is not None:
            scribe.note_join(at.last)
        for each in words:
            if each.kind in _WORDS or each.kind == FORMAT:
                at = scribe.copy(each, within, at)
                scribe.move(each)
                scribe.delete(each)


def _is_next(old: Piece, text: Branch) -> bool:
    """Whether a word that is gone was in the line behind that of a text."""
    block = None if old.branch is None or old.branch.piece is None else old.branch.piece.branch
    left = None if block is None or block.piece is None else block.piece.left
    while left is not None and left.dead:
        left = left.left
    return left is not None and text.piece is not None and left.type is text.piece.branch


def _has_words(text: Branch | None) -> bool:
    return text is not None and any(each.kind in _WORDS and not each.dead for each in text.pieces())
