"""Rescue: the server's answer to one update, so that no words die with the block around them.

Editors change a block's kind or nesting by deleting the block and inserting a copy. What others
have written into the old block meanwhile dies with it, unknown to anybody. The rescue works in the
order of the log, on what `Sequences.take` says about an update:

1. **Copies.** New characters that repeat deleted ones become their heirs (copies.py).
2. **Two copies of one character.** What was deleted on purpose stays deleted, in its copy too. Of
   two copies that live, the first stays. But a part that somebody has moved goes to its new place
   (pairing.py).
3. **Deletions of characters that live elsewhere** delete their heirs (pairing.py).
4. **Words that died with their block, and words that come into a dead block,** are written again
   (lost.py), behind the heir of their left neighbour (homes.py). The copies are heirs in turn.
5. **Words without any heir around them** become a paragraph of their own (rewriting.py).
6. **Words in a part that has moved** follow it, if their author did not know of the move
   (moves.py).
7. **Joined lines, marks, attributes and the order of blocks** are brought along (joins.py,
   marks.py, attributes.py, order.py).

The answer is a function of the log up to the update, and of nothing else.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec import Struct

from crdt.errors import InvariantError
from crdt.protocol.links import Links, encode_links
from crdt.rescue.attributes import Attributes
from crdt.rescue.blocks import INLINE_CONTENT, is_block
from crdt.rescue.homes import Homes
from crdt.rescue.joins import Joins
from crdt.rescue.lost import LostWords
from crdt.rescue.marks import Marks
from crdt.rescue.moves import Moves
from crdt.rescue.order import Order
from crdt.rescue.pairing import Pairing
from crdt.rescue.rewriting import Rewriting
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Change, Piece, Sequences


class Said(NamedTuple):
    """An update on its way to the log, and what its author knew.

    Attributes:
        update: in the clients' form.
        after: the last row that the author had applied; None if they do not say.
        author: the author's client id.
        known: a state vector of the author's, from before they made the update; empty if not known.
    """

    update: bytes
    after: int | None
    author: int | None
    known: bytes = b""


class Rescued(Struct, frozen=True):
    """The answers to the updates of one row, None for those that need none, and the row's heirs.

    Attributes:
        failed: why some updates that needed an answer have none; empty if all have one.
    """

    answers: tuple[bytes | None, ...]
    heirs: bytes
    failed: str = ""


class Unanswered(InvariantError):
    """The rescue of an update by `author` has failed. The sequences are of no use any more."""

    def __init__(self, author: int | None, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.author = author


def answer(sequences: Sequences, seq: int, said: Iterable[Said], without: Collection[int | None] = ()) -> Rescued:
    """Answer the updates of row `seq`, which the sequences hold then.

    Updates of the authors in `without` get no answer. Raises Unanswered.
    """
    answers: list[bytes | None] = []
    links: list[Links] = []
    for update, after, author, known in said:
        change, written = sequences.take(update, seq, after, author, known), None
        if concerns(sequences, change) and author not in without:
            try:
                written, moved = rescue(sequences, change)
            except Exception as error:
                raise Unanswered(author, error) from error
            links.append(moved)
        answers.append(written)
    return Rescued(tuple(answers), encode_links(links))


def rescue(sequences: Sequences, change: Change) -> tuple[bytes | None, Links]:
    """Answer an update that was just taken.

    Return the server's update, or None if it has nothing to write, and the heirs of this row. The
    sequences hold the answer then.
    """
    scribe = Scribe(sequences, change)
    _Rescue(scribe).run()
    sequences.noted = ()
    return scribe.update() if scribe.has_written else None, scribe.links()


def concerns(sequences: Sequences, change: Change) -> bool:
    """Whether an update may need an answer at all."""
    if change.named or change.already or change.unset:
        return True
    joined = sequences.joined
    return any(
        piece.branch is None or piece.dead or piece.origin in joined or _is_beside_moved(piece)
        for piece in change.fresh
    )


def _is_beside_moved(piece: Piece) -> bool:
    if piece.key is not None or piece.kind not in INLINE_CONTENT:
        return False
    left, right = piece.left, piece.right
    return (left is not None and left.dead and left.heir is not None) or (
        right is not None and right.dead and right.heir is not None
    )


class _Rescue:
    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        homes, rewriting = Homes(scribe.sequences), Rewriting(scribe)
        self._order = Order(scribe, rewriting)
        self._pairing = Pairing(scribe, homes, self._order)
        self._lost = LostWords(scribe, homes, self._pairing, rewriting)
        self._moves = Moves(scribe, homes, self._pairing, rewriting)
        self._joins = Joins(scribe)
        self._marks = Marks(scribe, homes, self._pairing)
        self._attributes = Attributes(scribe, homes)
        pairing = self._pairing
        pieces = pairing.copies, pairing.homeless, pairing.parts, pairing.emptied, self._lost.lost, self._lost.unjudged
        scribe.sequences.noted = pieces

    def run(self) -> None:
        change, pairing = self._scribe.change, self._pairing
        said = [
            (pieces, [(piece.client, piece.clock, piece.clock + piece.length) for piece in pieces])
            for pieces in (change.fresh, change.named, change.already, change.collateral)
        ]
        pairing.run()
        for pieces, spans in said:  # with what was cut off them
            pieces[:] = [piece for span in spans for piece in self._scribe.sequences.between(*span)]
        if change.named and change.collateral:
            pairing.pair_empty_blocks()
        pairing.delete_heirs()
        self._delete_emptied()
        self._lost.run()
        self._moves.follow()
        self._joins.run(pairing.pairs())
        self._marks.carry()
        self._attributes.carry()
        for old, new in pairing.pairs():
            if pairing.is_split(old, new):
                self._order.note_split(old, new)
        for piece in change.fresh:
            self._order.note_splits_behind(piece)
        self._order.put()

    def _delete_emptied(self) -> None:
        """Delete new blocks all of whose words were given up as copies."""
        for piece in self._scribe.change.fresh:
            outside = piece.branch is None or piece.branch.piece is None or piece.branch.piece.turn != piece.turn
            if is_block(piece) and not piece.dead and outside and self._pairing.is_emptied(piece.type):
                self._scribe.delete(piece)
