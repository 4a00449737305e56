"""Edits of a document's blocks, as programs ask for them. crdt/content/making.py makes them.

An edit names blocks by their ids (crdt/content/blocks.py). It is made only if none of the blocks
that it changes has been changed since the revision that its author had read. A block that only says
where must still be there. Otherwise nothing is made, and the answer has the blocks as they are now.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from crdt.content.proposing import Proposer

MOST_EDITS = 200
"""Most edits of one request."""

Sent = Literal["markdown", "html", "json"]
"""A form that a content may be sent in."""

BlockName = Annotated[str, Meta(description="a block's id, as reading has given it")]
_Names = Annotated[list[str], Meta(min_length=1, description="a list of blocks' ids, as reading has given them")]
_Content = Annotated[
    str | list[dict[str, Any]] | dict[str, Any],
    Meta(description="a text in the form that `as` names; for json a list of blocks, or a `doc`"),
]
_As = Annotated[Sent, Meta(description="markdown, html or json")]


class Source(Struct, frozen=True):
    """A content as it was sent: a text, bytes, or for JSON its value."""

    form: Sent
    content: Any


class _Writing(Struct, forbid_unknown_fields=True, tag_field="do"):
    """An edit that brings content."""

    content: _Content
    form: _As = msgspec.field(name="as", default="markdown")

    @property
    def source(self) -> Source:
        return Source(self.form, self.content)


class Append(_Writing, tag="append"):
    """Content behind everything else."""


class Insert(_Writing, tag="insert"):
    """Content before or after a block. Name one of the two."""

    before: Annotated[str | None, Meta(description="the id of the block that the content goes before, or null")] = None
    after: Annotated[str | None, Meta(description="the id of the block that the content goes after, or null")] = None

    def __post_init__(self) -> None:
        if (self.before is None) == (self.after is None):
            raise ValueError("An insert names either `before` or `after`.")


class ReplaceBlocks(_Writing, tag="replace", kw_only=True):
    """Content in the place of blocks. It stands where the first of them stood."""

    blocks: _Names


class DeleteBlocks(Struct, forbid_unknown_fields=True, tag_field="do", tag="delete"):
    """Blocks to delete."""

    blocks: _Names


class ReplaceText(Struct, forbid_unknown_fields=True, tag_field="do", tag="replace_text"):
    """Words in the place of words of one block. They get the marks of the first letter replaced.

    The words to find stand within one line, and have no line end. Without `occurrence` they must
    stand in the block once.
    """

    block: BlockName
    find: Annotated[str, Meta(min_length=1, description="the words to replace, exactly as they stand there")]
    with_: Annotated[str, Meta(description="the new words")] = msgspec.field(name="with")
    occurrence: Annotated[int, Meta(ge=0, description="which of several: 1 is the first; 0: the only one")] = 0


class AnchorComment(Struct, forbid_unknown_fields=True, tag_field="do", tag="comment"):
    """The anchor of a thread of comments, which is made by itself. The words stay as they are.

    The words to find are as in `replace_text`.
    """

    block: BlockName
    find: Annotated[str, Meta(min_length=1, description="the words that the thread is about")]
    thread: Annotated[str, Meta(min_length=1, max_length=64, description="the thread's id")]
    occurrence: Annotated[int, Meta(ge=0, description="which of several: 1 is the first; 0: the only one")] = 0


Edit = Append | Insert | ReplaceText | ReplaceBlocks | DeleteBlocks | AnchorComment


class Order(Struct, frozen=True):
    """Edits to make.

    Attributes:
        client_id: the update is made under this id.
        base: the server's address without a path, for the addresses of pictures.
        since: the updates of others behind the revision that the author had read; None if they are
            not known any more, so that every block may have changed.
        proposer: who asks for the edits.
        proposes: whether the edits become suggestions.
    """

    client_id: int
    base: str
    edits: Sequence[Edit]
    since: Sequence[bytes] | None = ()
    proposer: Proposer | None = None
    proposes: bool = False


class Made(Struct):
    """The result of an order: an update, or the blocks that stand in its way.

    Attributes:
        update: Yjs v1 bytes in the clients' form; empty if nothing was to be changed.
        clocks: the clocks of the update's own items, first and end.
        blocks: the ids of the new blocks, in the order in which they were made.
        lost: names of what the content's form held and the rich text cannot hold.
        conflicts: the ids of blocks that have changed or are gone, each with the block's JSON, or
            with `null`. Then nothing was made.
    """

    update: bytes = b""
    clocks: tuple[int, int] = (0, 0)
    blocks: list[str] = msgspec.field(default_factory=list)
    lost: list[str] = msgspec.field(default_factory=list)
    conflicts: list[tuple[str, bytes]] = msgspec.field(default_factory=list)


class Replacement(Struct, frozen=True):
    """A content that takes the place of all that a document says. See `Order`."""

    client_id: int
    base: str
    source: Source
