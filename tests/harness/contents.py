"""Documents of everything that the editor can make, and what a reader of their Markdown finds."""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from crdt.content.attributes import CALLOUTS, latex_of, mention_of
from crdt.content.schema import MARKS, NODES
from crdt.content.tree import Mark, Node

BASE = "https://docs.example.org"
PICTURE = f"/api/documents/abcdefgh/attachments/{'0' * 64}"

# Documents.

_WORDS = st.text(
    st.sampled_from("ab1  \\*_`[]()<>&;~|#+-.=!:'\"$\n/éß😀“€\u00a0"), min_size=1, max_size=12
) | st.sampled_from(
    [
        "snake_case",
        "1. one",
        "- a",
        "# b",
        "---",
        "&amp;",
        "<b>",
        "[a](b)",
        "![a](b)",
        "![",
        "a | b",
        "\\",
        "``",
        "====",
        "> q",
        "[x] y",
    ]
)
_FORMULAS = st.text(st.sampled_from("ab^2{} "), max_size=6)
_ADDRESSES = st.sampled_from(
    ["https://a.example/b_c?d=(e)&amp;f", "mailto:a@b.c", "#h-abcd", "/d/abc", "javascript:alert(1)"]
)


def _given(name: str, **given: Any) -> dict[str, Any]:
    return {**NODES[name].attributes, **given}


@st.composite
def _marks(draw: st.DrawFn) -> tuple[Mark, ...]:
    names = draw(st.sets(st.sampled_from(sorted(MARKS)), max_size=3))
    if "code" in names:
        names = {"code"}
    if {"subscript", "superscript"} <= names:
        names.remove("subscript")
    given = {"link": {"href": draw(_ADDRESSES)}, "textStyle": {"color": "red"}}
    return tuple(Mark(name, {**MARKS[name].attributes, **given.get(name, {})}) for name in MARKS if name in names)


_TEXTS = st.builds(lambda words, marks: Node("text", text=words, marks=marks), _WORDS, _marks())
_INLINE = _TEXTS | st.one_of(
    st.just(Node("hardBreak")),
    st.builds(lambda label: Node("mention", {"id": "u1", "label": label}), _WORDS),
    st.builds(lambda latex: Node("inlineMath", {"latex": latex}), _FORMULAS),
)


def _line(name: str = "paragraph", **given: Any) -> st.SearchStrategy[Node]:
    return st.builds(lambda line: Node(name, _given(name, **given), _joined(line)), st.lists(_INLINE, max_size=4))


def _joined(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Join neighbouring texts of the same marks, as every editor does."""
    joined: list[Node] = []
    for node in nodes:
        if joined and joined[-1].type == node.type == "text" and joined[-1].marks == node.marks:
            node = Node("text", text=joined.pop().text + node.text, marks=node.marks)
        joined.append(node)
    return tuple(joined)


_IMAGES = st.builds(
    lambda src, alt, caption: Node("image", _given("image", src=src, alt=alt, caption=caption)),
    st.sampled_from([PICTURE, "https://elsewhere.example/a.png", None]),
    st.none() | _WORDS,
    st.none() | _WORDS,
)
_CODE = st.builds(
    lambda language, words: Node(
        "codeBlock", _given("codeBlock", language=language), (Node("text", text=words),) if words else ()
    ),
    st.sampled_from([None, "js", "c++", "not `a` name"]),
    st.text(st.sampled_from("a `~\n\t*"), max_size=12),
)
_LEAVES = st.one_of(
    _line(),
    _line(look="title"),
    _line(textAlign="center", indent=2),
    st.integers(1, 6).flatmap(lambda level: _line("heading", level=level)),
    _CODE,
    _IMAGES,
    st.just(Node("horizontalRule")),
    st.just(Node("pageBreak")),
    st.builds(lambda latex: Node("blockMath", {"latex": latex}), _FORMULAS),
)


def _holding(
    name: str, content: st.SearchStrategy[list[Node]], **given: st.SearchStrategy[Any]
) -> st.SearchStrategy[Node]:
    chosen = st.fixed_dictionaries(given)
    return st.builds(lambda nodes, values: Node(name, _given(name, **values), tuple(nodes)), content, chosen)


def _around(blocks: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(blocks, min_size=1, max_size=3)
    behind_line = st.builds(lambda line, rest: [line, *rest], _line(), st.lists(blocks, max_size=2))
    items = st.lists(_holding("listItem", behind_line), min_size=1, max_size=3)
    tasks = st.lists(_holding("taskItem", behind_line, checked=st.booleans()), min_size=1, max_size=3)
    lines = st.lists(_line(), min_size=1, max_size=2)
    cell = st.sampled_from(["tableCell", "tableHeader"]).flatmap(lambda name: _holding(name, lines | some))
    rows = st.lists(_holding("tableRow", st.lists(cell, max_size=3)), min_size=1, max_size=3)
    return st.one_of(
        _holding("blockquote", some),
        _holding("callout", some, kind=st.sampled_from([*CALLOUTS, "other"])),
        _holding("bulletList", items),
        _holding("orderedList", items, start=st.integers(0, 10**9)),
        _holding("taskList", tasks),
        _holding("table", rows),
        st.builds(
            lambda summary, inner: Node("details", {}, (summary, Node("detailsContent", {}, tuple(inner)))),
            _line("detailsSummary"),
            some,
        ),
    )


DOCUMENTS = st.lists(st.recursive(_LEAVES, _around, max_leaves=8), min_size=1, max_size=4).map(
    lambda blocks: Node("doc", {}, tuple(blocks))
)


def from_json(written: dict[str, Any]) -> Node:
    """Read a node of ProseMirror's JSON."""
    return Node(
        written["type"],
        written.get("attrs", {}),
        tuple(map(from_json, written.get("content", ()))),
        written.get("text", ""),
        tuple(Mark(mark["type"], mark.get("attrs", {})) for mark in written.get("marks", ())),
    )


# What a reader finds.

Found = tuple[Any, ...]
"""A block: its kind, and its words or blocks."""

_NAMES = {"strong": "bold", "em": "italic", "s": "strike", "del": "strike", "u": "underline", "mark": "highlight"}
_NAMES |= {"sub": "subscript", "sup": "superscript"}
_SAID = {*_NAMES.values(), "code"}


class Line:
    """Words with their marks."""

    def __init__(self) -> None:
        self.characters: list[tuple[str, frozenset[str]]] = []

    def add(self, words: str, marks: frozenset[str] = frozenset()) -> None:
        self.characters += [(character, marks) for character in words]

    @property
    def found(self) -> tuple[Any, ...]:
        """The words, and the marks of all that is not blank."""
        words = " ".join("".join(character for character, _ in self.characters).split())
        return words, tuple((sorted(marks)) for character, marks in self.characters if not character.isspace())


def read(markdown: str) -> list[Found]:
    """Read Markdown as GitHub does, without its formulas and callouts."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return _blocks(iter(parser.parse(markdown)), "")


def _blocks(tokens: Iterator[Token], end: str) -> list[Found]:
    found: list[Found] = []
    for token in tokens:
        match token.type:
            case kind if kind == end:
                break
            case "paragraph_open":
                found.append(("p", *_inline(tokens)))
            case "heading_open":
                found.append((token.tag, *_inline(tokens)))
            case "bullet_list_open" | "blockquote_open" | "list_item_open":
                found.append((token.tag, _blocks(tokens, token.type.replace("open", "close"))))
            case "ordered_list_open":
                found.append(("ol", int(token.attrs.get("start", 1)), _blocks(tokens, "ordered_list_close")))
            case "fence":
                found.append(("code", token.info, token.content))
            case "hr":
                found.append(("hr",))
            case "html_block":
                found += _html(token.content)
            case "table_open":
                found.append(("table", _rows(tokens)))
            case _:
                raise AssertionError(token)
    return [block for block in found if block[0] not in ("p", "h1", "h2", "h3", "h4", "h5", "h6") or block[1]]


def _inline(tokens: Iterator[Token]) -> tuple[Any, ...]:  # noqa: C901 - one case for each token
    inline = next(tokens)
    next(tokens)
    line = Line()
    open_marks: list[str] = []
    for token in inline.children or []:
        marks = frozenset(open_marks)
        match token.type:
            case "text":
                line.add(token.content, marks)
            case "code_inline":
                line.add(token.content, marks | {"code"})
            case "softbreak" | "hardbreak":
                line.add("\n")
            case "image":
                line.add(
                    "".join(child.content for child in token.children or []), frozenset({f"image {token.attrs['src']}"})
                )
            case "html_inline" if token.content == "<br>":
                line.add("\n")
            case "html_inline" if token.content.startswith("</"):
                open_marks.remove(_NAMES[token.content[2:-1]])
            case "html_inline":
                open_marks.append(_NAMES[token.content[1:-1]])
            case "link_open":
                open_marks.append(f"link {token.attrs['href']}")
            case "link_close":
                open_marks.remove(next(mark for mark in open_marks if mark.startswith("link ")))
            case kind if kind.endswith("_open"):
                open_marks.append(_NAMES[token.tag])
            case kind if kind.endswith("_close"):
                open_marks.remove(_NAMES[token.tag])
            case _:
                raise AssertionError(token)
    return line.found


def _rows(tokens: Iterator[Token]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append((token.tag, *_inline(tokens)))
    return rows


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.words.append(" ")


def words_in(html: str) -> str:
    """Return all that an HTML says, without blanks."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return "".join("".join(parser.words).split())


def _html(html: str) -> list[Found]:
    if html.startswith("<!--"):
        return []
    tag = re.match(r"</?\w+", html)
    assert tag is not None, html
    return [(tag[0], words_in(html))]


# What should be found.


def expected(nodes: Sequence[Node]) -> list[Found]:
    """Return what a reader should find of these blocks."""
    found = [each for node in nodes for each in _expected(node)]
    return [block for block in found if block[0] not in ("p", "h1", "h2", "h3", "h4", "h5", "h6") or block[1]]


def _expected(node: Node) -> list[Found]:  # noqa: C901, PLR0911, PLR0912 - one case for each node
    given = node.attributes
    match node.type:
        case "paragraph":
            return [("h1" if given.get("look") == "title" else "p", *line(node.content))]
        case "heading":
            return [(f"h{given['level']}", *line(node.content))]
        case "blockquote":
            return [("blockquote", expected(node.content))]
        case "callout":
            blocks = expected(node.content)
            kind = {"tip": "[!TIP]", "warning": "[!WARNING]"}.get(given["kind"], "[!NOTE]")
            marks: tuple[Any, ...] = tuple([] for _ in kind)
            filled = [child for child in node.content if child.type == "image" or expected((child,))]
            if filled and filled[0].type == "paragraph" and blocks[0][0] == "p":
                head = ("p", f"{kind} {blocks[0][1]}", (*marks, *blocks[0][2]))
                return [("blockquote", [head, *blocks[1:]])]
            return [("blockquote", [("p", kind, marks), *blocks])]
        case "bulletList" | "taskList":
            return [("ul", [_item(item) for item in node.content])]
        case "orderedList":
            return [("ol", min(given["start"], 999_999_999), [_item(item) for item in node.content])]
        case "codeBlock":
            words = "".join(child.text for child in node.content)
            language = given["language"] if given["language"] in ("js", "c++") else ""
            return [("code", language, f"{words}\n")]
        case "horizontalRule":
            return [("hr",)]
        case "pageBreak":
            return [("<div", "")]
        case "blockMath":
            latex = " ".join(latex_of(given).split())
            return (
                [("p", f"$$ {latex} $$", tuple([] for each in f"$${latex}$$" if not each.isspace()))] if latex else []
            )
        case "image":
            return [_picture(given)]
        case "details":
            summary, inner = node.content
            return [("<details", _solid("".join(everything(summary)))), *expected(inner.content), ("</details", "")]
        case "table":
            return _table(node)
        case _:
            raise AssertionError(node)


def line(nodes: Sequence[Node]) -> tuple[Any, ...]:
    """Return the words of a line, and the marks of all that is not blank."""
    found = Line()
    for node in nodes:
        match node.type:
            case "text":
                found.add(node.text, frozenset(_said(node.marks)))
            case "hardBreak":
                found.add("\n")
            case "mention":
                found.add(" ".join(mention_of(node.attributes).split()))
            case _:
                latex = " ".join(latex_of(node.attributes).split())
                found.add(f"${latex}$" if latex else "")
    return found.found


def _said(marks: Sequence[Mark]) -> Iterator[str]:
    for mark in marks:
        if mark.type == "link" and mark.attributes["href"] != "javascript:alert(1)":
            href = mark.attributes["href"]
            yield f"link {BASE + href if href.startswith('/') else href}"
        elif mark.type in _SAID:
            yield mark.type


def _item(item: Node) -> Found:
    blocks = expected(item.content[1:])
    words, marks = line(item.content[0].content)
    if item.type == "taskItem":
        box = "[x]" if item.attributes["checked"] else "[ ]"
        words, marks = f"{box} {words}".strip(), (*([] for each in box if not each.isspace()), *marks)
    return ("li", [("p", words, marks), *blocks] if words else blocks)


def _picture(given: dict[str, Any]) -> Found:
    found = Line()
    alt = given["alt"] or ""
    if given["src"] == PICTURE:
        found.add(" ".join(alt.split()), frozenset({f"image {BASE}{PICTURE}"}))
    else:
        found.add(alt or "Image kept on another server")
    found.add(f"\n{given['caption'] or ''}")
    return ("p", *found.found)


def _table(node: Node) -> list[Found]:
    rows = [row.content for row in node.content]
    if not any(rows):
        return []
    if any(child.type != "paragraph" for row in rows for cell in row for child in cell.content):
        return [("<table", _solid("".join(everything(node))))]
    width = max(map(len, rows))
    heads = bool(rows[0]) and all(cell.type == "tableHeader" for cell in rows[0])
    found = [[("td", *_cell(cell)) for cell in row] + [("td", "", ())] * (width - len(row)) for row in rows]
    first = found.pop(0) if heads else [("td", "", ())] * width
    return [("table", [[("th", *cell[1:]) for cell in first], *found])]


def _cell(cell: Node) -> tuple[Any, ...]:
    nodes = [each for child in cell.content for each in (*child.content, Node("hardBreak"))]
    return line(nodes)


def everything(node: Node) -> Iterator[str]:
    """Yield all words below a node, as HTML says them."""
    match node.type:
        case "text" | "hardBreak" | "mention":
            yield line((node,))[0]
        case "inlineMath":
            yield f"${latex_of(node.attributes)}$"
        case "blockMath":
            yield f"$${latex_of(node.attributes)}$$"
        case "image":
            alt = node.attributes["alt"] or ""
            yield "" if node.attributes["src"] == PICTURE else alt or "Image kept on another server"
            yield node.attributes["caption"] or ""
        case _:
            for child in node.content:
                yield from everything(child)


def _solid(words: str) -> str:
    return "".join(words.split())
