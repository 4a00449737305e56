"""Shapes of updates: plain text, which cannot fail, and unusual ones, tried in the sandbox first.

Honest editors send the same few shapes all day. An update of another shape may be sound as well,
but nobody has seen the document engine take thousands of its kind. If such an update brings the
engine down, only a worker of the sandbox is lost, and not the node.
"""

from collections.abc import Sequence

from crdt.gate.typing_runs import Keystroke
from crdt.yjs.contents import ANY, DELETED, EMBED, FORMAT, GC, SHARED_TYPES, STRING
from crdt.yjs.reader import KEYED, Inspected

MOST_CLIENTS = 64
"""Client ids of one honest update.

A person who comes back after a week, with a copy that holds everybody's work, brings a few dozen.
"""

MOST_STRUCTS = 20_000
"""Structs and deleted ranges of one honest batch. A pasted novel has 10,000."""

_USUAL = SHARED_TYPES | {GC, DELETED, STRING, EMBED, FORMAT, ANY}


def is_plain_text(update: Inspected) -> bool:
    """Whether an admitted update is one text in a sequence, without surrogate pairs or deletions.

    The document engine cannot fail with such an update.
    """
    if type(update) is Keystroke:
        return True
    if update.deletions or len(update.structs) != 1 or len(update.structs[0]) != 1:
        return False
    struct = update.structs[0][0]
    return struct[2] == STRING and not struct[8]


def unusual(updates: Sequence[Inspected], *, suspicious: bool) -> str | None:
    """Return the reason to try a batch in the sandbox first, or None for an ordinary batch.

    Set `suspicious` if something in this document was set aside lately. Then only plain text counts
    as ordinary.
    """
    if len(updates) == 1 and is_plain_text(updates[0]):
        return None
    if suspicious:
        return "Something in the document was set aside lately."
    size = 0
    for update in updates:
        if len(update.clients) > MOST_CLIENTS:
            return "The batch has many authors."
        size += sum([len(ranges) for _, ranges in update.deletions])
        for structs in update.structs:
            size += len(structs)
            for struct in structs:
                if struct[2] & (KEYED - 1) not in _USUAL:
                    return "The batch holds a kind of content that editors do not make."
    return "The batch has many structs." if size > MOST_STRUCTS else None
