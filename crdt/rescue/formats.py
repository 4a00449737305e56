"""Formats: marks on words, as Yjs encodes them. A format begins a value of one mark, or ends it."""

from crdt.rescue.sequences import Piece
from crdt.yjs.varint import read_varuint

ANNOTATIONS = (b"comment", b"deletion", b"formatting", b"insertion")
"""Names of marks that say something about words. A mark's key may go on behind two dashes."""

NO_VALUE = b"\x04null"
"""The encoded value of a format that ends its mark."""


def mark_of(format_: Piece) -> bytes:
    """Return the encoded name of a format's mark."""
    length, at = read_varuint(format_.content, 0)
    return format_.content[: at + length]


def is_annotation(mark: bytes) -> bool:
    """Whether an encoded name of a mark, with its length in front, is an annotation's."""
    return mark[1:].partition(b"--")[0] in ANNOTATIONS


def value_of(format_: Piece) -> bytes | None:
    """Return the encoded value that a format gives its mark; None for none."""
    value = format_.content[len(mark_of(format_)) :]
    return None if value == NO_VALUE else value
