"""Excerpt of a document: the first two lines of the rich text, by which people know the document.

A document that nobody has given a title is called by its first line. Hostile content can make
reading endless, so that only the sandbox may call `excerpt`.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.protocol.messages import clean_text

FRAGMENT = "default"
"""Root of the rich text."""

LONGEST_LINE = 160
"""Most characters of a line. A list shows no more."""

MOST_NODES = 1000
"""Most nodes that are looked at. A document that begins with more empty ones has no excerpt."""

_BREAK = "hardBreak"
_INSERTED = "insertion--"
"""How the key of a mark begins whose words somebody suggests. A document is not called by these."""


class Excerpt(Struct, frozen=True):
    """The first two lines that say something. A line is empty if there is none."""

    first: str = ""
    second: str = ""


def excerpt(doc: "Doc[Any]") -> Excerpt:
    """Read the first two lines of a document's rich text."""
    found: list[str] = []
    line = ""
    for words in _words(doc.get(FRAGMENT, type=XmlFragment)):
        if words is None:
            if cleaned := clean_text(line):
                found.append(_shortened(cleaned))
            line = ""
            if len(found) == 2:
                break
        elif len(line) <= 4 * LONGEST_LINE:
            line += words[: 4 * LONGEST_LINE]
    return Excerpt(*found)


def _words(root: XmlFragment) -> Iterator[str | None]:
    """Yield the words in their order, and None where a line ends."""
    # A stack instead of recursion, because strangers nest as deeply as they like.
    open_nodes: list[Iterator[Any]] = [iter(root.children)]
    for _ in range(MOST_NODES):
        node = next(open_nodes[-1], None)
        if node is None:
            open_nodes.pop()
            yield None
            if not open_nodes:
                return
        elif isinstance(node, XmlText):
            yield from _words_of(node)
        elif isinstance(node, XmlElement):
            if _is_suggested(node):
                continue
            if node.tag == _BREAK:
                yield None
            elif node.tag == "mention":
                yield _mentioned(node)
            elif len(node.children) > 0:
                yield None
                open_nodes.append(iter(node.children))
    yield None


def _words_of(text: XmlText) -> Iterator[str | None]:
    for content, formats in text.diff():
        if not isinstance(content, str) or any(key.startswith(_INSERTED) for key in formats or ()):
            continue
        first, *rest = content[: 8 * LONGEST_LINE].split("\n")
        yield first
        for line in rest:
            yield None
            yield line


def _is_suggested(node: XmlElement) -> bool:
    suggestion = node.attributes.get("suggestion")
    return isinstance(suggestion, dict) and suggestion.get("kind") == "insert"


def _mentioned(mention: XmlElement) -> str:
    names = [mention.attributes.get(key) for key in ("label", "id")]
    return f"@{next((name for name in names if isinstance(name, str) and name.strip()), 'somebody')}"


def _shortened(line: str) -> str:
    """Cut a long line behind a word if there is one near the end."""
    if len(line) <= LONGEST_LINE:
        return line
    cut = line[: LONGEST_LINE - 1]
    whole, space, _ = cut.rpartition(" ")
    return f"{whole if space and len(whole) > LONGEST_LINE // 2 else cut}…"
