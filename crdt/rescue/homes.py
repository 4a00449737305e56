"""Homes: where in the living document something belongs whose own place is dead.

The nearest neighbour to the left that lives on elsewhere shows the place: behind its heir. Without
one, the nearest neighbour to the right does: before its heir.
"""

from crdt.rescue.blocks import is_block
from crdt.rescue.sequences import Branch, Piece, Sequences

Home = tuple[Branch, Piece | None]
"""A branch, and the piece behind which something belongs; None for its beginning."""


class Homes:
    """The homes in one document."""

    def __init__(self, sequences: Sequences) -> None:
        self._sequences = sequences

    def living(self, client: int, clock: int, most: int) -> tuple[Piece, int]:
        """Follow heirs from an id to the end.

        Return a piece of at most `most` characters, and how many it has.
        """
        sequences = self._sequences
        piece = sequences.starting(client, clock)
        most = min(most, piece.length)
        while piece.dead and piece.heir is not None:
            sequences.spend(1)
            piece = sequences.starting(*piece.heir)
            most = min(most, piece.length)
        if piece.length > most:
            sequences.cut(piece, most)
        return piece, most

    def of(self, branch: Branch, left: Piece | None, seen: tuple[Branch, ...] = ()) -> Home | None:
        """Return the home of what stood in a branch behind `left`, None for its beginning.

        Return None if nothing around it lives on.
        """
        if left is not None and left.dead and left.heir is not None and (found := self._follow(left, seen)):
            return found
        if branch.is_alive:
            return branch, left
        if branch in seen:
            return None
        seen = (*seen, branch)
        piece = left
        while piece is not None:
            if piece.heir is not None and (found := self._follow(piece, seen)):
                return found
            piece = piece.left
        piece = left.right if left is not None else branch.start
        while piece is not None:
            if piece.heir is not None and (found := self._follow(piece, seen, before=True)):
                return found
            piece = piece.right
        frame = branch.piece
        if frame is None or frame.heir is None:
            return None
        heir = self._sequences.starting(*frame.heir).type
        return None if heir is None else self.of(heir, None, seen)

    def _follow(self, piece: Piece, seen: tuple[Branch, ...], *, before: bool = False) -> Home | None:
        """Return the home behind a piece's heir, or before it."""
        while piece.dead and piece.heir is not None:
            self._sequences.spend(1)
            client, clock = piece.heir
            clock += 0 if before else piece.length - 1
            piece = self._sequences.starting(client, clock) if before else self._sequences.ending(client, clock)
            if piece.branch in seen and piece.heir is None:
                return None
        if piece.branch is None:
            return None
        if before and not piece.dead:
            return piece.branch, piece.left  # what is dead there may live on behind the piece
        return self.of(piece.branch, piece.left if before else piece, seen)

    def of_block(self, branch: Branch, left: Piece | None) -> Home | None:
        """Return the home of a block that stood behind `left`.

        If `left` has no heir, the last heir inside of it counts.
        """
        inner = left
        while inner is not None and inner.heir is None and inner.type is not None and inner.type.is_element:
            inner = next((each for each in reversed(list(inner.type.pieces())) if each.type and not each.alone), None)
        if inner is None or inner is left or inner.heir is None:
            return self.of(branch, left)
        block = self._sequences.starting(*inner.heir)
        while not is_block(block):
            if block.branch is None or block.branch.piece is None:
                return None
            block = block.branch.piece
        return None if block.branch is None else self.of(block.branch, block)
