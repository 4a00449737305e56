"""Blocks and what stands in them: names of elements, and the ways from a piece to its block."""

from collections.abc import Iterable, Iterator

from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import EMBED, FORMAT, STRING, XML_TEXT

TEXT_BLOCKS = frozenset({"paragraph", "heading", "codeBlock", "detailsSummary"})
"""Names of elements that hold words. Others are recognised by the texts in them."""

NO_FORMATS = frozenset({"codeBlock"})
"""Names of blocks whose text has no formats but annotations."""

HOLDS_PARAGRAPHS = frozenset(
    {"blockquote", "callout", "detailsContent", "tableCell", "tableHeader", "listItem", "taskItem"}
)
ITEMS = frozenset({"listItem", "taskItem"})
LISTS = frozenset({"bulletList", "orderedList", "taskList"})

INLINE_CONTENT = frozenset({STRING, FORMAT, EMBED})


def is_inline(piece: Piece) -> bool:
    """Whether a piece opens an element that stands among words, such as a line break."""
    if piece.type is None or not piece.type.is_element or piece.branch is None:
        return False
    return piece.branch.is_element and (piece.branch.name in TEXT_BLOCKS or piece.branch.has_texts)


def is_block(piece: Piece) -> bool:
    return piece.type is not None and piece.type.is_element and not is_inline(piece)


def behind(piece: Piece) -> Iterator[Piece]:
    """Yield the pieces to the right of one."""
    right = piece.right
    while right is not None:
        yield right
        right = right.right


def frames(piece: Piece) -> list[Piece]:
    """Return the pieces that opened the branches around a piece, the outermost first."""
    found: list[Piece] = []
    while piece.branch is not None and piece.branch.piece is not None:
        piece = piece.branch.piece
        found.append(piece)
    return found[::-1]


def frame_of(piece: Piece) -> Piece | None:
    return None if piece.branch is None else piece.branch.piece


def texts_of(block: Piece) -> Iterator[Branch]:
    for piece in block.type.pieces() if block.type is not None else ():
        if piece.type is not None and piece.type.reference == XML_TEXT:
            yield piece.type


def is_among(pieces: Iterable[Piece], piece: Piece) -> bool:
    return any(each is piece for each in pieces)


def block_around(piece: Piece) -> Piece | None:
    """Return what opened the innermost element around a piece."""
    frame = frame_of(piece)
    while frame is not None and frame.type is not None and not frame.type.is_element:
        frame = frame_of(frame)
    return frame


def block_name(text: Branch) -> str | None:
    """Return the name of the element around a text."""
    outer = None if text.piece is None else text.piece.branch
    return None if outer is None else outer.name


def inline_before(text: Branch) -> Piece | None:
    """Return the element among words that stands before a text, if it lives or lives on."""
    before = None if text.piece is None else text.piece.left
    while before is not None and before.dead and before.heir is None:
        before = before.left
    return before if before is not None and is_inline(before) else None
