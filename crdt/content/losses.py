"""Losses: what a document has and a form cannot hold, by name."""

from collections.abc import Iterator

from crdt.content import attributes as shown
from crdt.content.tree import Mark, Node

IN_HTML = frozenset({"column widths", "pictures of other servers", "links that lead nowhere"})
"""What HTML leaves out. Markdown leaves out this and all the rest."""

_ATTRIBUTES = {
    "textAlign": "alignment",
    "indent": "indents",
    "lineHeight": "line spacing",
    "dir": "directions",
    "background": "colours",
    "colwidth": "column widths",
    "width": "sizes",
    "height": "sizes",
}
_OF_A_MARK = {
    "color": "colours",
    "backgroundColor": "colours",
    "fontFamily": "fonts",
    "fontSize": "sizes",
    "lineHeight": "line spacing",
}


def left_out(root: Node, base: str, *, is_html: bool) -> list[str]:
    """Name what Markdown or HTML leaves out of a document, in alphabetical order."""
    found = set(_losses(root, base))
    return sorted(found & IN_HTML if is_html else found)


def _losses(node: Node, base: str) -> Iterator[str]:
    for name, value in node.attributes.items():
        if value is not None and name in _ATTRIBUTES:
            yield _ATTRIBUTES[name]
    for mark in node.marks:
        yield from _of_mark(mark, base)
    match node.type:
        case "image" if shown.picture_of(node.attributes.get("src"), base) is None:
            yield "pictures of other servers"
        case "mention":
            yield "mentions"
        case "doc" | "blockquote" | "callout" | "detailsContent" if len(node.content) > 1:
            if any(child.type == "paragraph" and not child.content for child in node.content):
                yield "empty lines"
        case _:
            pass
    if node.attributes.get("look") == "subtitle":
        yield "subtitles"
    for child in node.content:
        yield from _losses(child, base)


def _of_mark(mark: Mark, base: str) -> Iterator[str]:
    if mark.type == "link" and shown.href_of(mark.attributes.get("href"), base) is None:
        yield "links that lead nowhere"
    if mark.type in ("textStyle", "highlight"):
        for name, value in mark.attributes.items():
            if value is not None and name in _OF_A_MARK:
                yield _OF_A_MARK[name]
