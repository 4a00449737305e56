"""HTML of a document: a page that stands by itself, and the same HTML within Markdown.

The editor reads its own nodes from this HTML again. All words and values are escaped. Addresses,
colours and fonts are those that the editor would show (crdt/content/attributes.py), so that opening
the page asks no other server for anything.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from msgspec import Struct

from crdt.content import attributes as shown
from crdt.content.schema import SCHEMA, whole_number
from crdt.content.text import blocks_of
from crdt.content.tree import Mark, Node, without_annotations

_STYLE = """
body { max-width: 51rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 sans-serif; overflow-wrap: anywhere; }
p, h1, h2, h3, h4, h5, h6, summary { white-space: pre-wrap; }
img { max-width: 100%; height: auto; }
figure { margin: 1rem 0; }
figcaption { color: #555; font-size: 0.875em; }
pre { padding: 1rem; overflow-x: auto; background: #f2f1ec; }
blockquote { margin-inline: 0; padding-inline-start: 1rem; border-inline-start: 4px solid #bbb; }
table { border-collapse: collapse; }
td, th { padding: 0.3rem 0.6rem; border: 1px solid #bbb; text-align: start; vertical-align: top; }
ol ol { list-style-type: lower-alpha; }
ol ol ol { list-style-type: lower-roman; }
ol ol ol ol { list-style-type: decimal; }
ul[data-type="taskList"] { padding-inline-start: 0; list-style: none; }
ul ul[data-type="taskList"] { padding-inline-start: 1.5rem; }
summary { font-weight: bold; }
[data-type="callout"] { margin: 1rem 0; padding: 0.5rem 1rem; border: 1px solid #bbb; border-inline-start-width: 4px; }
[data-type="callout"]::before { font-weight: bold; content: attr(aria-label); }
[data-look="title"] { font-size: 2.5em; font-weight: bold; line-height: 1.2; }
[data-look="subtitle"] { color: #555; font-size: 1.3em; }
"""

GENERATOR = "Manyhands"
"""The program that a page names as its author. Whoever reads the page again keeps its blanks."""

_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_INDENT_EM = 2
_LOOKS = ("title", "subtitle")
_NUMBERS = ("1", "a", "A", "i", "I")
_PLAIN_MARKS = {
    "bold": "strong",
    "code": "code",
    "italic": "em",
    "strike": "s",
    "underline": "u",
    "subscript": "sub",
    "superscript": "sup",
    "insertion": "ins",
    "deletion": "del",
}
"""The elements of marks that have no attributes."""

Given = Mapping[str, str | int | None]
"""Attributes of an element. None stands for an absent one."""


def html_page(doc: Node, base: str, title: str, language: str) -> str:
    """Write a document as a page. `base` is the server's address, without a path."""
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f'<meta name="generator" content="{GENERATOR}">\n<title>{_words(title)}</title>'
    )
    body = "\n".join(map(HtmlWriter(base).block, without_annotations(doc).content))
    return (
        f"<!doctype html>\n{_open('html', {'lang': language})}\n<head>\n{head}\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def language_of(attributes: Mapping[str, Any]) -> str:
    """Return the language of a code block in one word, or nothing."""
    found = _LANGUAGE.fullmatch(shown.words_of(attributes.get("language")))
    return found[0] if found else ""


class HtmlWriter(Struct, frozen=True):
    """Writer of parts of a document. `base` is the server's address, without a path."""

    base: str

    def blocks(self, nodes: Iterable[Node]) -> str:
        return "".join(map(self.block, nodes))

    def block(self, node: Node) -> str:
        write = _WRITERS.get(node.type)
        if write is not None:
            return write(self, node)
        if node.is_inline:
            return self.line((node,))
        return f"<p>{_words(shown.not_shown(node.type))}</p>{self.blocks(blocks_of(node))}"

    def line(self, nodes: Iterable[Node]) -> str:
        """Write words, with each mark open for as long as it lasts.

        A mark that shows nothing parts nothing.
        """
        written: list[str] = []
        open_marks: list[tuple[str, str]] = []
        for node in nodes:
            marks = [tags for tags in map(self._mark, node.marks) if tags[0]]
            same = 0
            while same < min(len(open_marks), len(marks)) and open_marks[same] == marks[same]:
                same += 1
            while len(open_marks) > same:
                written.append(open_marks.pop()[1])
            for tags in marks[same:]:
                written.append(tags[0])
                open_marks.append(tags)
            written.append(self._inline(node))
        written += [end for _, end in reversed(open_marks)]
        return "".join(written)

    def _inline(self, node: Node) -> str:
        given = node.attributes
        match node.type:
            case "text":
                return _words(node.text).replace("\n", "<br>")
            case "hardBreak":
                return "<br>"
            case "mention":
                who = {
                    f"data-{key}": given.get(key) if isinstance(given.get(key), str) else None
                    for key in ("id", "label")
                }
                return f"{_open('span', {'data-type': 'mention', **who})}{_words(shown.mention_of(given))}</span>"
            case "inlineMath":
                latex = shown.latex_of(given)
                return (
                    f"{_open('span', {'data-type': 'inline-math', 'data-latex': latex})}{_words(f'${latex}$')}</span>"
                )
            case name:
                return _words(shown.not_shown(name)) + self.line(node.content)

    def _mark(self, mark: Mark) -> tuple[str, str]:
        """Return a mark's tags; two empty words if the mark shows nothing."""
        given = mark.attributes
        match mark.type:
            case "link":
                href = shown.href_of(given.get("href"), self.base)
                title = shown.words_of(given.get("title")) or None
                return ("", "") if href is None else (_open("a", {"href": href, "title": title}), "</a>")
            case "textStyle":
                style = _style(
                    color=shown.color_of(given.get("color")),
                    font_family=shown.font_of(given.get("fontFamily")),
                    font_size=shown.font_size_of(given.get("fontSize")),
                )
                return (_open("span", {"style": style}), "</span>") if style else ("", "")
            case "highlight":
                color = shown.color_of(given.get("color"))
                return _open("mark", {"data-color": color, "style": _style(background_color=color)}), "</mark>"
            case name:
                tag = _PLAIN_MARKS.get(name)
                return ("", "") if tag is None else (f"<{tag}>", f"</{tag}>")

    # Blocks.

    def _paragraph(self, node: Node) -> str:
        look = node.attributes.get("look")
        named: Given = {"data-look": look} if look in _LOOKS else {}
        if look == "title":  # the heading above all headings
            named = {**named, "role": "heading", "aria-level": 1}
        return self._element("p", node, self.line(node.content) or "<br>", named)

    def _heading(self, node: Node) -> str:
        anchor = shown.anchor_of(node.attributes.get("anchor"))
        level = whole_number(node.attributes.get("level"), 1, 6) or 1
        return self._element(f"h{level}", node, self.line(node.content), {"id": anchor and f"h-{anchor}"})

    def _code(self, node: Node) -> str:
        language = language_of(node.attributes)
        code = _open("code", {"class": f"language-{language}" if language else None})
        words = "".join(_escaped(child.text) for child in node.content)
        return self._element("pre", node, f"{code}{words}</code>")

    def _list(self, node: Node) -> str:
        if node.type != "orderedList":
            kind = "taskList" if node.type == "taskList" else None
            return self._element("ul", node, self.blocks(node.content), {"data-type": kind})
        start, numbers = node.attributes.get("start"), node.attributes.get("type")
        given = {"start": None if start == 1 else start, "type": numbers if numbers in _NUMBERS else None}
        return self._element("ol", node, self.blocks(node.content), given)

    def _item(self, node: Node) -> str:
        return self._element("li", node, self._inner(node.content))

    def _task(self, node: Node) -> str:
        first, *rest = node.content or (Node("paragraph"),)
        if first.type != "paragraph":
            first, rest = Node("paragraph"), list(node.content)
        done = bool(node.attributes.get("checked"))
        box = f'<label><input type="checkbox" disabled{" checked" if done else ""}> {self.line(first.content)}</label>'
        given = {"data-type": "taskItem", "data-checked": "true" if done else "false"}
        return self._element("li", node, box + self.blocks(rest), given)

    def _table(self, node: Node) -> str:
        rows = node.content
        heads = 1 if rows and rows[0].content and all(each.type == "tableHeader" for each in rows[0].content) else 0
        head = f"<thead>{self.blocks(rows[:heads])}</thead>" if heads else ""
        body = f"<tbody>{self.blocks(rows[heads:])}</tbody>" if rows[heads:] else ""
        return self._element("table", node, head + body)

    def _row(self, node: Node) -> str:
        return self._element("tr", node, self.blocks(node.content))

    def _cell(self, node: Node) -> str:
        color = shown.color_of(node.attributes.get("background"))
        spans = {
            key: whole_number(node.attributes.get(key), 1, SCHEMA.most.span) or 1 for key in ("colspan", "rowspan")
        }
        given = {
            **{key: None if span == 1 else span for key, span in spans.items()},
            "data-background": color,
            "style": _style(background_color=color),
        }
        return self._element("th" if node.type == "tableHeader" else "td", node, self._inner(node.content), given)

    def _image(self, node: Node) -> str:
        given, caption = node.attributes, shown.caption_of(node.attributes)
        src, alt = shown.picture_of(given.get("src"), self.base), shown.words_of(given.get("alt"))
        if src is None:
            picture = f"<span>{_words(alt or shown.ELSEWHERE)}</span>"
        else:
            sizes = {key: whole_number(given.get(key), 1, SCHEMA.most.pixels) for key in ("width", "height")}
            title = shown.words_of(given.get("title")) or None
            picture = _open("img", {"src": src, "alt": alt, "title": title, **sizes})
        words = f"<figcaption>{_words(caption)}</figcaption>" if caption else ""
        return self._element("figure", node, picture + words)

    def _block_math(self, node: Node) -> str:
        latex = shown.latex_of(node.attributes)
        given = {"data-type": "block-math", "data-latex": latex}
        return self._element("div", node, _words(f"$${latex}$$"), given)

    def _callout(self, node: Node) -> str:
        kind = shown.callout_of(node.attributes)
        given = {"data-type": "callout", "data-kind": kind, "role": "note", "aria-label": shown.CALLOUTS[kind]}
        return self._element("div", node, self.blocks(node.content), given)

    def _inner(self, nodes: tuple[Node, ...]) -> str:
        """Write what an item or a cell holds. A first line that is only words needs no element."""
        is_plain = bool(nodes) and nodes[0].type == "paragraph" and _is_bare(nodes[0])
        if is_plain and (nodes[0].content or len(nodes) == 1):
            return self.line(nodes[0].content) + self.blocks(nodes[1:])
        return self.blocks(nodes)

    def _element(self, tag: str, node: Node, inner: str, given: Given | None = None) -> str:
        return f"{_open(tag, {**(given or {}), **_given(node, given)})}{inner}</{tag}>"


def _is_bare(paragraph: Node) -> bool:
    return not _given(paragraph) and paragraph.attributes.get("look") not in _LOOKS


def _given(node: Node, others: Given | None = None) -> Given:
    """Return the attributes that several kinds of nodes have, where they are sound."""
    values = node.attributes
    direction, align = values.get("dir"), values.get("textAlign")
    indent = shown.indent_of(values.get("indent"))
    style = _style(
        text_align=align if align in shown.ALIGNMENTS else None,
        margin_inline_start=None if indent is None else f"{indent * _INDENT_EM}em",
        line_height=shown.spacing_of(values.get("lineHeight")),
    )
    own = (others or {}).get("style")
    given: dict[str, str | int | None] = {
        "dir": direction if direction in ("ltr", "rtl", "auto") else None,
        "data-indent": indent,
        "style": "; ".join(str(each) for each in (own, style) if each) or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _style(**given: str | None) -> str | None:
    return "; ".join(f"{key.replace('_', '-')}: {value}" for key, value in given.items() if value is not None) or None


def _open(tag: str, given: Given) -> str:
    written = (f' {key}="{_escaped(str(value))}"' for key, value in given.items() if value is not None)
    return f"<{tag}{''.join(written)}>"


def _words(words: str) -> str:
    return _escaped(words.replace("\r\n", "\n").replace("\r", "\n"))


def _escaped(words: str) -> str:
    return escape(words.replace("\0", "\ufffd"))


_WRITERS: Mapping[str, Callable[[HtmlWriter, Node], str]] = {
    "paragraph": HtmlWriter._paragraph,
    "heading": HtmlWriter._heading,
    "blockquote": lambda self, node: self._element("blockquote", node, self.blocks(node.content)),
    "codeBlock": HtmlWriter._code,
    "bulletList": HtmlWriter._list,
    "orderedList": HtmlWriter._list,
    "taskList": HtmlWriter._list,
    "listItem": HtmlWriter._item,
    "taskItem": HtmlWriter._task,
    "horizontalRule": lambda _self, _node: "<hr>",
    "table": HtmlWriter._table,
    "tableRow": HtmlWriter._row,
    "tableHeader": HtmlWriter._cell,
    "tableCell": HtmlWriter._cell,
    "image": HtmlWriter._image,
    "blockMath": HtmlWriter._block_math,
    "callout": HtmlWriter._callout,
    "details": lambda self, node: self._element("details", node, self.blocks(node.content)),
    "detailsSummary": lambda self, node: self._element("summary", node, self.line(node.content)),
    "detailsContent": lambda self, node: self._element(
        "div", node, self.blocks(node.content), {"data-type": "detailsContent"}
    ),
    "pageBreak": lambda self, node: self._element(
        "div",
        node,
        "",
        {"data-type": "pageBreak", "role": "separator", "aria-label": "Page break", "style": "break-after: page"},
    ),
}
