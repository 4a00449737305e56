"""Blocks from HTML: our own pages, what Markdown becomes, and pages from elsewhere.

The counterpart of crdt/content/html.py. Elements that the schema has no node for are passed
through: their words stay. Elements that hold no words (a video, a frame) are left out, and named.
Blanks are as a browser shows them, except in a page that this server has written: there all stay.

lexbor is native code, so that only the sandbox may call `blocks_of_html`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crdt.content import attributes as shown
from crdt.content.html import GENERATOR
from crdt.content.schema import MARKS, NODES, RANKS, bounded
from crdt.content.tree import Attributes, Mark, Node, completed, empty
from crdt.errors import Code, ProtocolError

_MARKS = {
    "strong": "bold",
    "b": "bold",
    "em": "italic",
    "i": "italic",
    "cite": "italic",
    "s": "strike",
    "del": "strike",
    "strike": "strike",
    "u": "underline",
    "ins": "underline",
    "sub": "subscript",
    "sup": "superscript",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "tt": "code",
    "mark": "highlight",
}
_AROUND = frozenset(
    (
        *("address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption"),
        *("figure", "footer", "form", "header", "html", "legend", "main", "nav", "optgroup", "option", "search"),
        *("section", "select", "tbody", "td", "tfoot", "th", "thead", "tr"),
    )
)
"""Elements that begin and end a line, and are nothing else."""

_SILENT = frozenset({"head", "script", "style", "template", "title", "noscript", "colgroup", "col", "meta", "link"})
"""Elements that say nothing to readers."""

_LEFT_OUT = frozenset(
    {"audio", "video", "iframe", "object", "embed", "canvas", "svg", "math", "button", "input", "textarea", "map"}
)
_MOST_DEEP = 150
"""Levels of elements. Each takes up to five of Python's, which has 1000."""

_BOX = Node("box")
"""A box to tick, which only the item around it keeps."""

_BLANKS = " \t\n\r\f"
_RUN = re.compile(f"[{_BLANKS}]+")
_HEADING = re.compile("h([1-6])")


class Read(Struct, frozen=True):
    """Blocks that were read, and the names of what could not be kept."""

    blocks: list[Node]
    lost: tuple[str, ...] = ()


def blocks_of_html(html: str, base: str, *, from_markdown: bool = False) -> Read:
    """Read the blocks of a page or a fragment. `base` is the server's address, without a path.

    `from_markdown`: words behind a picture in its line are its caption, and a comment at the start
    of an item is an empty line. Raises ProtocolError(too_large) if the HTML is nested too deeply.
    """
    parser = LexborHTMLParser(html)
    reader = _Reader(base, keeps_blanks=_is_ours(parser), from_markdown=from_markdown)
    flow = _Flow(reader, of="body")
    if parser.body is not None:
        reader.walk(parser.body, flow, (), 1)
    return Read(flow.end(), tuple(reader.lost))


def _is_ours(parser: LexborHTMLParser) -> bool:
    made_by = parser.css_first('meta[name="generator"]')
    return made_by is not None and made_by.attributes.get("content") == GENERATOR


class _Flow:
    """Blocks as they are gathered. Words gather in a line until a block comes.

    `of`: the node or element that holds all this. `line`: the attributes of its lines.
    """

    def __init__(self, reader: "_Reader", line: Attributes | None = None, of: str = "") -> None:
        self.blocks: list[Node] = []
        self._of = of
        self._reader = reader
        self._line: list[Node] = []
        self._given = line

    def add(self, node: Node) -> None:
        """Add words, or something that stands among them."""
        self._line.append(node)

    def block(self, node: Node) -> None:
        self.close()
        self.blocks.append(node)

    def close(self) -> None:
        """Make a paragraph of the line, if it says anything or has a box."""
        line, has_box = self._reader.tidied(self._line, self._of), _BOX in self._line
        self._line = []
        if line or has_box:
            given = NODES["paragraph"].attributes if self._given is None else self._given
            self.blocks.append(completed("paragraph", dict(given), line))

    def end(self) -> list[Node]:
        self.close()
        return self.blocks


class _Reader:
    def __init__(self, base: str, *, keeps_blanks: bool, from_markdown: bool) -> None:
        self.base = base
        self.lost: dict[str, None] = {}
        self._keeps_blanks = keeps_blanks
        self._from_markdown = from_markdown
        self._boxes: list[bool | None] = []
        """For each item around: whether its box is ticked; None if it has no box."""

    def walk(self, element: LexborNode, flow: _Flow, marks: tuple[Mark, ...], level: int) -> None:
        """Read all that an element holds into a flow."""
        if level > _MOST_DEEP:
            raise ProtocolError(Code.TOO_LARGE, "The HTML is nested too deeply.")
        for child in element.iter(include_text=True):
            if child.is_text_node:
                words = (child.text_content or "").replace("\0", "\ufffd")
                if words:
                    flow.add(Node("text", text=words, marks=marks))
            elif child.is_element_node:
                self._take(child, flow, marks, level + 1)
            elif child.is_comment_node and self._from_markdown and self._boxes and not flow.blocks:
                flow.block(empty("paragraph"))  # as our Markdown writes an empty line of an item

    def _take(self, element: LexborNode, flow: _Flow, marks: tuple[Mark, ...], level: int) -> None:
        tag, given = element.tag or "", element.attributes
        if tag in _SILENT:
            return
        if tag == "br":
            flow.add(Node("hardBreak"))
        elif tag == "input" and given.get("type") == "checkbox":
            if self._boxes:
                self._boxes[-1] = "checked" in given
            flow.add(_BOX)
        elif tag in _LEFT_OUT:
            self.lost[tag] = None
        elif (inline := self._inline(tag, given)) is not None:
            flow.add(inline)
        elif (block := self._block(element, given, level)) is not None:
            for each in block:
                flow.block(each)
        elif tag in _AROUND:
            flow.close()
            self.walk(element, flow, marks, level)
            flow.close()
        else:
            self.walk(element, flow, _with(marks, self._marks(tag, given)), level)

    def _inline(self, tag: str, given: Mapping[str, str | None]) -> Node | None:
        kind = given.get("data-type") if tag == "span" else None
        if kind == "mention":
            return Node("mention", {"id": given.get("data-id"), "label": given.get("data-label")})
        if kind == "inline-math":
            return Node("inlineMath", {"latex": given.get("data-latex") or ""})
        return None

    def _marks(self, tag: str, given: Mapping[str, str | None]) -> Iterator[Mark]:
        style = _style(given)
        if tag == "mark":
            color = shown.color_of(given.get("data-color") or style.get("background-color"))
            yield Mark("highlight", {"color": color})
        elif tag in _MARKS:
            yield Mark(_MARKS[tag], {})
        elif tag == "a" and (href := given.get("href")) and shown.href_of(href, self.base) is not None:
            own = href.removeprefix(self.base) if href.startswith(f"{self.base}/") else href
            yield Mark("link", {**MARKS["link"].attributes, "href": own, "title": given.get("title")})
        elif tag in ("span", "font"):
            said = {
                "color": shown.color_of(style.get("color") or given.get("color")),
                "fontFamily": shown.font_of(style.get("font-family")),
                "fontSize": shown.font_size_of(style.get("font-size")),
            }
            if any(said.values()):
                yield Mark("textStyle", {**MARKS["textStyle"].attributes, **said})

    # Blocks.

    def _block(self, element: LexborNode, given: Mapping[str, str | None], level: int) -> list[Node] | None:
        """Return what an element is as blocks, or None if it is no block."""
        tag = element.tag or ""
        if tag == "div":
            return self._div(element, given, level)
        if (heading := _HEADING.fullmatch(tag)) is not None:
            anchor = (given.get("id") or "").removeprefix("h-")
            own = {"level": int(heading[1]), "anchor": shown.anchor_of(anchor)}
            return self._lines("heading", element, own, level)
        read = _READERS.get(tag)
        return None if read is None else read(self, element, given, level)

    def _div(self, element: LexborNode, given: Mapping[str, str | None], level: int) -> list[Node] | None:
        match given.get("data-type"):
            case "callout":
                return [self._holder("callout", element, {"kind": given.get("data-kind")}, level)]
            case "block-math":
                return [Node("blockMath", {"latex": given.get("data-latex") or ""})]
            case "pageBreak":
                return [Node("pageBreak")]
            case _:
                return [Node("pageBreak")] if _style(given).get("break-after") == "page" else None

    def _paragraph(self, element: LexborNode, given: Mapping[str, str | None], level: int) -> list[Node]:
        look = given.get("data-look")
        found = self._lines("paragraph", element, {"look": look if look in ("title", "subtitle") else None}, level)
        return self._captioned(found) if self._from_markdown else found

    def _lines(self, name: str, element: LexborNode, own: Attributes, level: int) -> list[Node]:
        """Read words as a node. What stands among them and is a block divides them."""
        attributes = {**_common(name, element), **own}
        flow = _Flow(self, attributes, name)
        self.walk(element, flow, (), level)
        found = flow.end() or [completed("paragraph", dict(attributes), [])]
        return [
            Node(name, attributes, node.content) if node.type == "paragraph" and node.attributes == attributes else node
            for node in found
        ]

    def _captioned(self, found: list[Node]) -> list[Node]:
        if len(found) != 2 or found[0].type != "image" or found[1].type != "paragraph":
            return found
        words = "".join(each.text if each.type == "text" else "\n" for each in found[1].content).strip()
        return [Node("image", {**found[0].attributes, "caption": words})]

    def _holder(self, name: str, element: LexborNode, own: Attributes, level: int) -> Node:
        flow = _Flow(self)
        self.walk(element, flow, (), level)
        return completed(name, bounded({**_common(name, element), **own}), flow.end())

    def _quote(self, element: LexborNode, _given: Mapping[str, str | None], level: int) -> list[Node]:
        return [self._holder("blockquote", element, {}, level)]

    def _code(self, element: LexborNode, _given: Mapping[str, str | None], _level: int) -> list[Node]:
        code = element.css_first("code")
        names = ((code.attributes.get("class") if code is not None else None) or "").split()
        language = next((name.removeprefix("language-") for name in names if name.startswith("language-")), None)
        words = _text(element)
        content = [Node("text", text=words)] if words else []
        return [completed("codeBlock", {**_common("codeBlock", element), "language": language}, content)]

    def _list(self, element: LexborNode, given: Mapping[str, str | None], level: int) -> list[Node]:
        """Read a list. Tasks that are neighbours of other items become a list of their own."""
        start = {"start": given.get("start") or 1, "type": given.get("type")}
        return [
            Node(kind, bounded({**_common(kind, element), **(start if kind == "orderedList" else {})}), tuple(items))
            for kind, items in groupby(self._items(element, level), lambda item: _list_of(item, element))
        ]

    def _items(self, element: LexborNode, level: int) -> list[Node]:
        """Read items. A list right in a list goes to the item before, as its author meant."""
        items: list[Node] = []
        for child in element.iter(include_text=False):
            if child.tag == "li":
                items.append(self._item(child, level))
                continue
            flow = _Flow(self)
            self._take(child, flow, (), level + 1)
            blocks = flow.end()
            if blocks and items:
                items[-1] = Node(items[-1].type, items[-1].attributes, (*items[-1].content, *blocks))
            elif blocks:
                items.append(completed("listItem", NODES["listItem"].attributes, blocks))
        return items

    def _item(self, element: LexborNode, level: int) -> Node:
        self._boxes.append(None)
        flow = _Flow(self)
        self.walk(element, flow, (), level + 1)
        blocks, ticked = flow.end(), self._boxes.pop()
        is_task = element.attributes.get("data-type") == "taskItem"
        if ticked is None and not is_task:
            return completed("listItem", _common("listItem", element), blocks)
        said = element.attributes.get("data-checked") if is_task else None
        checked = bool(ticked) if said is None else said == "true"
        return completed("taskItem", {**_common("taskItem", element), "checked": checked}, blocks)

    def _rule(self, _element: LexborNode, _given: Mapping[str, str | None], _level: int) -> list[Node]:
        return [Node("horizontalRule")]

    def _table(self, element: LexborNode, _given: Mapping[str, str | None], level: int) -> list[Node]:
        rows = [self._row(row, level) for row in _rows(element)]
        captions = [
            block
            for each in element.iter(include_text=False)
            if each.tag == "caption"
            for block in self._holder("doc", each, {}, level).content
        ]
        return [*captions, completed("table", _common("table", element), rows)]

    def _row(self, element: LexborNode, level: int) -> Node:
        cells = [self._cell(each, level) for each in element.iter(include_text=False) if each.tag in ("td", "th")]
        return completed("tableRow", _common("tableRow", element), cells)

    def _cell(self, element: LexborNode, level: int) -> Node:
        given = element.attributes
        color = given.get("data-background") or _style(given).get("background-color")
        spans = {key: given.get(key) or 1 for key in ("colspan", "rowspan")}
        name = "tableHeader" if element.tag == "th" else "tableCell"
        return self._holder(name, element, {**spans, "background": shown.color_of(color)}, level + 3)

    def _image(self, element: LexborNode, given: Mapping[str, str | None], _level: int) -> list[Node]:
        src = given.get("src") or ""
        own = {
            "src": src.removeprefix(self.base) if shown.picture_of(src.removeprefix(self.base), self.base) else src,
            **{key: given.get(key) for key in ("alt", "title", "width", "height")},
        }
        return [Node("image", bounded({**_common("image", element), **own}))]

    def _figure(self, element: LexborNode, _given: Mapping[str, str | None], level: int) -> list[Node] | None:
        picture = element.css_first("img")
        if picture is None:
            return None
        (image,) = self._image(picture, picture.attributes, level)
        words = element.css_first("figcaption")
        caption = "" if words is None else _text(words)
        caption = caption if self._keeps_blanks else _RUN.sub(" ", caption).strip()
        own = {**_common("image", element), **{key: value for key, value in image.attributes.items() if value}}
        return [Node("image", {**own, "caption": caption or None})]

    def _details(self, element: LexborNode, _given: Mapping[str, str | None], level: int) -> list[Node]:
        flow = _Flow(self)
        summaries: list[Node] = []
        for child in element.iter(include_text=True):
            if child.is_text_node:
                if (child.text_content or "").strip(_BLANKS):
                    flow.add(Node("text", text=child.text_content or ""))
            elif child.tag == "summary" and not summaries:
                summaries += self._lines("detailsSummary", child, {}, level + 1)
            elif child.is_element_node:
                self._take(child, flow, (), level + 1)
        summary = [Node("detailsSummary", NODES["detailsSummary"].attributes, ())]
        summary = [each for each in summaries if each.type == "detailsSummary"] or summary
        return [Node("details", {}, (*summary, completed("detailsContent", {}, flow.end())))]

    # Words.

    def tidied(self, line: list[Node], of: str) -> list[Node]:
        """Return a line with its blanks as a browser shows them, or nothing if it says nothing."""
        kept = [node for node in line if node is not _BOX]
        if not self._keeps_blanks:
            return _as_shown(kept)
        if len(kept) < len(line) and kept[0].type == "text":
            # One blank parts a box from its words.
            words = kept[0].text.removeprefix(" ")
            kept[:1] = [Node("text", text=words, marks=kept[0].marks)] if words else []
        # Our pages have line ends between blocks, and a break in a paragraph that is empty.
        if of == "body" and all(node.type == "text" and not node.text.strip(_BLANKS) for node in kept):
            return []
        return [] if of == "paragraph" and [node.type for node in kept] == ["hardBreak"] else kept


def _as_shown(line: list[Node]) -> list[Node]:
    kept: list[Node] = []
    is_open = False
    """Whether something stands before, so that a blank counts."""
    for node in line:
        if node.type != "text":
            is_open = node.type != "hardBreak"
            kept = kept if is_open else _without_end(kept)
            kept.append(node)
            continue
        words = _RUN.sub(" ", node.text)
        words = words if is_open else words.removeprefix(" ")
        if words:
            is_open = not words.endswith(" ")
            kept.append(Node("text", text=words, marks=node.marks))
    kept = _without_end(kept)
    # A browser shows no break at the end of a line.
    if kept and kept[-1].type == "hardBreak":
        kept = _without_end(kept[:-1])
    return kept


def _without_end(line: list[Node]) -> list[Node]:
    """Return a line without the blank at its end."""
    if not line or line[-1].type != "text" or not line[-1].text.endswith(" "):
        return line
    words = line[-1].text[:-1]
    return [*line[:-1], Node("text", text=words, marks=line[-1].marks)] if words else line[:-1]


def _with(marks: tuple[Mark, ...], more: Iterator[Mark]) -> tuple[Mark, ...]:
    """Return marks with further ones, the inner of two of a type, in the schema's order."""
    held = {mark.type: mark for mark in marks}
    for mark in more:
        if mark.type == "textStyle" and mark.type in held:
            said = {key: value for key, value in mark.attributes.items() if value is not None}
            mark = Mark("textStyle", {**held["textStyle"].attributes, **said})
        held.pop({"subscript": "superscript", "superscript": "subscript"}.get(mark.type, ""), None)
        held[mark.type] = mark
    if "code" in held:
        held = {"code": held["code"]}
    return tuple(sorted(held.values(), key=lambda mark: RANKS[mark.type]))


def _common(name: str, element: LexborNode) -> Attributes:
    """Return a node's attributes, with those that several kinds of nodes have."""
    given, usual = element.attributes, NODES[name].attributes
    style = _style(given)
    align, direction = style.get("text-align") or given.get("align"), given.get("dir")
    said = {
        "dir": direction if direction in ("ltr", "rtl", "auto") else None,
        "textAlign": align if align in shown.ALIGNMENTS else None,
        "indent": shown.indent_of(given.get("data-indent")),
        "lineHeight": shown.spacing_of(style.get("line-height")),
    }
    return {**usual, **{key: value for key, value in said.items() if key in usual and value is not None}}


def _style(given: Mapping[str, str | None]) -> dict[str, str]:
    style: dict[str, str] = {}
    for each in (given.get("style") or "").split(";"):
        name, colon, value = each.partition(":")
        if colon:
            style[name.strip().lower()] = value.strip()
    return style


def _text(element: LexborNode) -> str:
    """Return all words of an element, with a line end for each break."""
    words = []
    for each in element.traverse(include_text=True):
        if each.is_text_node:
            words.append(each.text_content or "")
        elif each.tag == "br":
            words.append("\n")
    return "".join(words).replace("\0", "\ufffd")


def _rows(element: LexborNode) -> Iterator[LexborNode]:
    for each in element.iter(include_text=False):
        if each.tag == "tr":
            yield each
        elif each.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in each.iter(include_text=False) if row.tag == "tr")


def _list_of(item: Node, element: LexborNode) -> str:
    if item.type == "taskItem":
        return "taskList"
    return "orderedList" if element.tag == "ol" else "bulletList"


_READERS: Mapping[str, Callable[[_Reader, LexborNode, Mapping[str, str | None], int], list[Node] | None]] = {
    "p": _Reader._paragraph,
    "blockquote": _Reader._quote,
    "pre": _Reader._code,
    "ul": _Reader._list,
    "ol": _Reader._list,
    "hr": _Reader._rule,
    "table": _Reader._table,
    "img": _Reader._image,
    "figure": _Reader._figure,
    "details": _Reader._details,
}
