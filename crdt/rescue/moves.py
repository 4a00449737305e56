"""Moves: words that stand beside a part that has moved follow it.

They follow if their author did not know of the move.
"""

from collections.abc import Iterable, Iterator

from crdt.rescue.blocks import INLINE_CONTENT, behind, inline_before, is_inline
from crdt.rescue.homes import Home, Homes
from crdt.rescue.pairing import Pairing
from crdt.rescue.rewriting import Rewriting
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Piece
from crdt.yjs.contents import EMBED, FORMAT, STRING, XML_TEXT


class Moves:
    """Words that stand beside moved parts behind one update."""

    def __init__(self, scribe: Scribe, homes: Homes, pairing: Pairing, rewriting: Rewriting) -> None:
        self._scribe = scribe
        self._sequences = scribe.sequences
        self._homes = homes
        self._pairing = pairing
        self._rewriting = rewriting
        self._change = scribe.change
        self._turn = scribe.change.turn

    def follow(self) -> None:
        """Move words that stand beside a part that has moved into the block where it is now."""
        todo = self._written_beside_moved()
        for old, new in self._pairing.pairs():  # the words came first, and then the split
            if self._pairing.is_split(old, new):
                self._note_behind(old, todo)
        for emptied in self._pairing.emptied:  # others have written into the copy that was given up
            for piece in behind(emptied):
                if piece in self._pairing.emptied:
                    break
                if self._is_others_word(piece):
                    todo[piece] = None
        for piece in todo:
            if piece.type is None:
                self._move(piece)
            else:
                self._move_inline(piece)

    def _is_others_word(self, piece: Piece) -> bool:
        return not piece.dead and piece.kind in {STRING, EMBED} and piece.turn != self._turn

    def _note_behind(self, moved: Piece, todo: dict[Piece, None]) -> None:
        """Note what others have written behind a moved part, up to the next part that has moved."""
        texts: list[Piece | None] = [None]
        if moved.branch is not None and moved.branch.piece is not None:
            texts += behind(moved.branch.piece)
        for text in texts:
            if text is not None and is_inline(text) and not text.dead and text.turn != self._turn:
                todo[text] = None
            if text is not None and (text.type is None or text.type.reference != XML_TEXT):
                continue
            for piece in behind(moved) if text is None or text.type is None else text.type.pieces():
                if piece.named == self._turn and piece.kind == STRING:
                    return
                if self._is_others_word(piece) and not self._is_back(piece):
                    todo[piece] = None

    def _is_back(self, piece: Piece) -> bool:
        """Whether a word has been moved away from its text, and back into it."""
        source = self._sequences.root_of(piece)
        return source is not piece and source.branch is piece.branch

    def _written_beside_moved(self) -> dict[Piece, None]:
        """Return new words behind a part that has moved away, unknown to their author."""
        todo: dict[Piece, None] = {}
        fresh = set(self._change.fresh)
        for piece in _fresh_inline(self._change.fresh):
            last = self._moved_before(piece)
            if last is not None and last.heir is not None and self._is_unaware(piece, last, last.heir[0]):
                todo[piece] = None
        branches = dict.fromkeys(piece.branch for piece in self._change.fresh if piece.kind in INLINE_CONTENT)
        for branch in branches:
            if branch is None or not branch.is_alive or branch.reference != XML_TEXT or not branch.is_rich:
                continue
            left = inline_before(branch)
            for piece in branch.pieces():
                if piece.kind == FORMAT:
                    continue
                if piece not in fresh or piece.named == self._turn or piece.source is not None:
                    if not piece.dead or (piece.heir is not None and not self._is_known_to_have_moved(piece)):
                        left = piece
                    continue
                if piece.dead or piece.kind not in {STRING, EMBED} or left is None:
                    continue
                if left in todo or (
                    left.dead and left.heir is not None and self._is_unaware(piece, left, left.heir[0])
                ):
                    todo[piece] = None
                left = piece
        return todo

    def _moved_before(self, element: Piece) -> Piece | None:
        """Return the last word before an element in its block, if that word has moved."""
        before = element.left
        while before is not None and (before.type is None or before.type.reference != XML_TEXT):
            before = before.left
        last = None
        for each in before.type.pieces() if before is not None and before.type is not None else ():
            # What its author has moved behind the element does not count.
            is_own = each.named == element.turn or (each.named == self._turn and each.was_dead)
            if each.kind == STRING and not is_own and (not each.dead or each.heir is not None):
                last = each
        return last if last is not None and last.dead else None

    def _is_unaware(self, piece: Piece, moved: Piece, mover: int) -> bool:
        """Whether the author of a piece did not know that the part beside it had moved."""
        after, author = self._change.after, self._change.author
        if after is not None:
            # A page says what the page before it has done offline too, under another client id.
            is_own = mover == piece.client or (author is not None and moved.killer == author)
            return moved.moved_at > after and not is_own
        right = None if piece.right_origin is None else self._sequences.find(*piece.right_origin)
        # Nobody who knows of the move writes before the dead.
        return right is not None and right.dead and right.heir is not None and right.branch is piece.branch

    def _is_known_to_have_moved(self, piece: Piece) -> bool:
        """Whether the author of the update has not seen a piece in its old place any more."""
        after = self._change.after
        return after is not None and 0 < piece.moved_at <= after

    def _move(self, piece: Piece) -> None:
        branch = piece.branch
        if branch is None or piece.dead:
            return
        left = self._left_with_place(piece)
        home = self._homes.of(branch, left)
        if left is None and (before := inline_before(branch)) is not None:
            home = self._home_behind(before)
        if home is None or home == (branch, left) or home[0].reference != XML_TEXT:
            return
        self._scribe.copy(piece, *home)
        self._scribe.move(piece)
        self._scribe.delete(piece)

    def _left_with_place(self, piece: Piece) -> Piece | None:
        """Return the nearest word to the left that lives, or whose heir shows where it lives on.

        What the author of a new piece knew to have moved is no neighbour of that piece.
        """
        is_new = piece.turn == self._turn
        left = piece.left
        while left is not None and (
            left.kind == FORMAT
            or (left.dead and (left.heir is None or (is_new and self._is_known_to_have_moved(left))))
        ):
            left = left.left
        return left

    def _home_behind(self, element: Piece) -> Home | None:
        """Return the beginning of the text behind the heir of an element among words."""
        if element.heir is None:
            return None
        heir, _ = self._homes.living(*element.heir, 1)
        if heir.dead or heir.branch is None:
            return None
        text = heir.right
        while text is not None and text.dead:
            text = text.right
        if text is not None and text.type is not None and text.type.reference == XML_TEXT:
            return text.type, None
        return self._scribe.open_text(heir.branch, heir)[1], None

    def _move_inline(self, piece: Piece) -> None:
        last = self._moved_before(piece)
        if last is None or last.branch is None or piece.dead:
            return
        home = self._homes.of(last.branch, last)
        if home is not None and home[0] is not last.branch:
            self._rewriting.write_inline(piece, *home)
            self._scribe.move(piece)
            self._scribe.delete(piece)


def _fresh_inline(fresh: Iterable[Piece]) -> Iterator[Piece]:
    """Yield new elements among words in blocks that live."""
    for piece in fresh:
        if not piece.dead and is_inline(piece) and piece.branch is not None and piece.branch.is_rich:
            yield piece
