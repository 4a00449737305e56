"""Plain text of a document: list marks, ticks, tabs between cells, one line end between lines.

The editor copies by the same rules (client_web/editor/src/extensions/copying.ts).
tests/vectors/contents.json holds documents and what the editor copies of them.
"""

from collections.abc import Iterable, Iterator

from crdt.content.attributes import caption_of, latex_of, mention_of, not_shown, words_of
from crdt.content.schema import NODES
from crdt.content.tree import Node, line_of

_LISTS = ("bulletList", "orderedList", "taskList")
_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)


def plain_text(doc: Node) -> str:
    return "\n".join(_lines(doc.content, 0))


def words(line: Iterable[Node]) -> str:
    """Return the words of a line, with a line end for each break."""
    return "".join(map(_word, line))


def _word(node: Node) -> str:
    match node.type:
        case "text":
            return node.text
        case "hardBreak":
            return "\n"
        case "mention":
            return mention_of(node.attributes)
        case "inlineMath":
            return f"${latex_of(node.attributes)}$"
        case _:
            return not_shown(node.type) + words(node.content)


def _lines(nodes: Iterable[Node], numbered: int) -> Iterator[str]:
    for node in nodes:
        yield from _lines_of(node, numbered)


def _lines_of(node: Node, numbered: int) -> Iterable[str]:
    """Return the lines of a node within so many numbered lists."""
    match node.type:
        case "image":
            return [caption_of(node.attributes) or words_of(node.attributes.get("alt"))]
        case "blockMath":
            return f"$${latex_of(node.attributes)}$$".split("\n")
        case "horizontalRule":
            return ["---"]
        case "tableRow":
            return ["\t".join(map(_cell, node.content))]
        case name if name in _LISTS:
            return _items(node, numbered)
        case name if name not in NODES:
            return [not_shown(name), *_lines(blocks_of(node), numbered)]
        case _:
            return (
                words(node.content).split("\n")
                if node.holds_words or not node.content
                else _lines(node.content, numbered)
            )


def blocks_of(node: Node) -> tuple[Node, ...]:
    """Return what a node holds as blocks. Words become a line."""
    return (line_of(node.content),) if node.holds_words else node.content


def _cell(cell: Node) -> str:
    """Return a cell's words. Tabs tell cells apart, and line ends rows: both become blanks."""
    return " ".join(_lines((cell,), 0)).replace("\t", " ")


def _items(node: Node, numbered: int) -> Iterator[str]:
    start = node.attributes.get("start")
    for number, item in enumerate(node.content, start if isinstance(start, int) else 1):
        mark = _mark(item, node, number, numbered)
        for at, line in enumerate(_lines((item,), numbered + (node.type == "orderedList"))):
            yield (mark if at == 0 else " " * len(mark)) + line


def _mark(item: Node, parent: Node, number: int, numbered: int) -> str:
    if item.type == "taskItem":
        return "[x] " if item.attributes.get("checked") else "[ ] "
    if parent.type != "orderedList":
        return "- "
    return f"{number if parent.attributes.get('type') else _number(number, numbered)}. "


def _number(number: int, level: int) -> str:
    """Return the number of an item as the page shows it: 1, a, i by level, and 1 for all below."""
    if level == 1 and number > 0:
        return _letters(number)
    return _roman(number) if level == 2 and 0 < number < 4000 else str(number)


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, last = divmod(number - 1, 26)
        letters = chr(97 + last) + letters
    return letters


def _roman(number: int) -> str:
    signs = ""
    for value, sign in _ROMAN:
        times, number = divmod(number, value)
        signs += times * sign
    return signs
