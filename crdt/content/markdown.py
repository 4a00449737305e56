r"""Markdown of a document: CommonMark with GitHub's tables, tasks, strikes, callouts and formulas.

Whoever reads it again finds the same words and the same structure. What Markdown cannot say becomes
inline HTML (underlined, raised, lowered and highlighted words, collapsibles, page breaks, tables
whose cells hold more than lines). Colours, fonts, alignment and indents are left out. So are empty
lines, which Markdown has not.

Words are escaped only where they would mean something. Marks need care, because a delimiter counts
only beside the right characters: `**"a"**b` is not bold. So a mark is written in one of three ways,
whichever is sure to be read: `_a_`, `*a*` or `<em>a</em>`. Characters that releases of CommonMark
class differently (symbols) are taken for the worse of both.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from urllib.parse import quote

from msgspec import Struct

from crdt.content import attributes as shown
from crdt.content.html import HtmlWriter, language_of
from crdt.content.schema import whole_number
from crdt.content.text import blocks_of
from crdt.content.tree import Mark, Node, without_annotations

_EMPTY = "<!-- -->"
"""An empty line at the start of an item that holds more, which would be read as something else."""

_CALLOUTS = {"info": "NOTE", "tip": "TIP", "warning": "WARNING"}
_LARGEST_NUMBER = 999_999_999
"""CommonMark reads no longer number in front of an item."""

_DELIMITERS = {"bold": ("**", "strong"), "italic": ("_", "em"), "strike": ("~~", "del")}
_TAGS = {
    "underline": "u",
    "highlight": "mark",
    "subscript": "sub",
    "superscript": "sup",
    "insertion": "ins",
    "deletion": "del",
}
_SPECIAL = re.compile(r"[*`\[\]~$]|\\(?=[!-/:-@\[-`{-~]|$)|&(?=#?\w{1,32};)|<(?=[A-Za-z/!?])")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that may open or close something: those within a word do not."""

_LINE_START = re.compile(r"(#{1,6}(?=\s|$)|[-+](?=\s|$)|[-:|](?=[-:|\s]*$)|=+(?=\s*$)|>)|(\d{1,9})(?=[.)](\s|$))")
_FORMULA = re.compile(r"(?:\\.|[^\\$])+")
"""LaTeX that may stand between two dollar signs."""

_HARD_BREAK = "\\\n"
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def markdown(doc: Node, base: str) -> str:
    """Write a document. `base` is the server's address, without a path."""
    text = "\n\n".join(MarkdownWriter(base).blocks(without_annotations(doc).content))
    return f"{text}\n" if text else ""


class MarkdownWriter(Struct, frozen=True):
    """Writer of parts of a document. `base` is the server's address, without a path."""

    base: str

    def blocks(self, nodes: Iterable[Node]) -> list[str]:
        return [text for _, text in self._written(nodes)]

    def _written(self, nodes: Iterable[Node]) -> list[tuple[Node, str]]:
        """Write what says something. Neighbouring lists get different signs."""
        written: list[tuple[Node, str]] = []
        before, other = "", False
        for node in nodes:
            kind = {"bulletList": "-", "taskList": "-", "orderedList": "."}.get(node.type, "")
            turned = kind != "" and kind == before and not other
            text = self._list(node, other=turned) if kind else self._block(node)
            if text:  # an empty line between lists is not there
                written.append((node, text))
                before, other = kind, turned
        return written

    def _block(self, node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each node
        given = node.attributes
        match node.type:
            case "paragraph" if given.get("look") == "title":
                return _heading(1, self.line(node.content, "<br>"))
            case "paragraph":
                return self.line(node.content)
            case "heading":
                return _heading(whole_number(given.get("level"), 1, 6) or 1, self.line(node.content, "<br>"))
            case "blockquote":
                return _quoted("\n\n".join(self.blocks(node.content)))
            case "callout":
                return self._callout(node)
            case "codeBlock":
                return _fenced("".join(child.text for child in node.content), language_of(given))
            case "horizontalRule":
                return "___"  # hyphens and stars begin items too
            case "table":
                return self._table(node)
            case "image":
                return self._image(node)
            case "blockMath":
                lines = _lines_of_formula(shown.latex_of(given))
                if any(line.endswith("$$") for line in lines):
                    return _on_one_line(HtmlWriter(self.base).block(node))
                return _formula(lines)
            case "details":
                return self._details(node)
            case "pageBreak":
                return '<div style="break-after: page"></div>'
            case "listItem" | "taskItem" | "tableRow" | "tableCell" | "tableHeader" | "detailsContent":
                return "\n\n".join(self.blocks(node.content))  # in the wrong place
            case "detailsSummary":
                return self.line(node.content)
            case name if node.is_inline:
                return self.line((node,))
            case name:
                return "\n\n".join((_escaped(shown.not_shown(name)), *self.blocks(blocks_of(node))))

    def _callout(self, node: Node) -> str:
        kind = _CALLOUTS[shown.callout_of(node.attributes)]
        written = self._written(node.content)
        between = "\n" if written and written[0][0].type == "paragraph" else "\n\n"
        return _quoted(f"[!{kind}]{between}" + "\n\n".join(text for _, text in written))

    def _details(self, node: Node) -> str:
        """Write a collapsible. Empty lines around what it hides let that be Markdown."""
        parts = ["<details>"]
        html = HtmlWriter(self.base)
        for child in node.content:
            if child.type == "detailsSummary":
                parts[-1] += f"\n<summary>{_on_one_line(html.line(child.content))}</summary>"
            else:
                parts += self.blocks(child.content)
        return "\n\n".join((*parts, "</details>"))

    def _image(self, node: Node) -> str:
        given, caption = node.attributes, shown.caption_of(node.attributes)
        alt = shown.words_of(given.get("alt"))
        src = shown.picture_of(given.get("src"), self.base)
        words = _escaped(" ".join(caption.split()))
        if src is None:
            picture = _at_line_start(_escaped(" ".join((alt or shown.ELSEWHERE).split())))
        else:
            title = _title(given.get("title"))
            picture = f"![{_escaped(' '.join(alt.split()))}]({src}{title})"
        return f"{picture}{_HARD_BREAK}{_at_line_start(words)}" if words else picture

    # Lists.

    def _list(self, node: Node, *, other: bool) -> str:
        ordered = node.type == "orderedList"
        start = node.attributes.get("start")
        first = min(start, _LARGEST_NUMBER) if ordered and isinstance(start, int) else 1
        items = [self._item(item) for item in node.content]
        is_tight = all(tight for _, tight in items)
        written = []
        for number, (text, _) in enumerate(items, first):
            sign = f"{min(number, _LARGEST_NUMBER)}{')' if other else '.'}" if ordered else "*" if other else "-"
            written.append(_indented(text, f"{sign} "))
        return ("\n" if is_tight else "\n\n").join(written)

    def _item(self, item: Node) -> tuple[str, bool]:
        """Write an item, and say whether it is one line with at most a list below."""
        nodes = item.content
        if nodes and nodes[0].type == "paragraph":
            line, rest = self.line(nodes[0].content), nodes[1:]
        else:
            line, rest = "", nodes
        below = self.blocks(rest)
        if item.type == "taskItem":
            line = f"[{'x' if item.attributes.get('checked') else ' '}] {line}".rstrip()
        if line == "" and below:
            line = _EMPTY
        if len(below) == 1 and len(rest) == 1 and line != _EMPTY and _may_follow(below[0], rest[0]):
            return f"{line}\n{below[0]}", True
        return "\n\n".join((line, *below)), not below

    # Tables.

    def _table(self, node: Node) -> str:
        rows = [row.content for row in node.content if row.type == "tableRow"]
        if not any(rows):
            return ""
        if len(rows) < len(node.content) or not all(_is_plain(cell) for row in rows for cell in row):
            return _on_one_line(HtmlWriter(self.base).block(node))
        width = max(map(len, rows))
        head = rows[0] if all(cell.type == "tableHeader" for cell in rows[0]) else ()
        body = rows[1:] if head else rows
        return "\n".join((self._row(head, width), f"|{' --- |' * width}", *(self._row(row, width) for row in body)))

    def _row(self, cells: Sequence[Node], width: int) -> str:
        texts = [self._cell(cell) for cell in cells] + [""] * (width - len(cells))
        return f"|{'|'.join(f' {text} ' if text else ' ' for text in texts)}|"

    def _cell(self, cell: Node) -> str:
        lines = (self.line(child.content, "<br>") for child in cell.content)
        return "<br>".join(line for line in lines if line).replace("|", "\\|")

    # Words.

    def line(self, nodes: Sequence[Node], line_end: str = _HARD_BREAK) -> str:
        """Write the words of a line. In a heading and in a cell, a break is an element."""
        tokens = [token for token in self._tokens(list(_trimmed(nodes)), ()) if token]
        text = "".join(_resolved(tokens)).strip(" \t\n")
        lines = [line.strip(" \t") for line in text.split("\n")]
        while lines and not lines[-1].strip():  # readers drop spaces of every kind at the end
            lines.pop()
        if line_end == _HARD_BREAK:
            return line_end.join(map(_at_line_start, lines))
        return line_end.join(lines)

    def _tokens(self, nodes: Sequence[Node], around: tuple[Mark, ...]) -> Iterator["str | _Edge"]:
        """Yield the words, and the edges of marks. The mark that lasts longest is the outermost."""
        at = 0
        while at < len(nodes):
            marks = [mark for mark in nodes[at].marks if mark not in around and self._is_said(mark)]
            mark, end = max(
                ((each, _last(nodes, at, each)) for each in marks), key=lambda run: run[1], default=(None, at)
            )
            if mark is None:
                word = self._word(nodes[at])
                # A dollar sign beside a digit is money.
                if at > 0 and nodes[at - 1].type == "inlineMath":
                    word = re.sub(r"^\d", _as_entity, word)
                if at + 1 < len(nodes) and nodes[at + 1].type == "inlineMath":
                    word = re.sub(r"\d$", _as_entity, word)
                yield word
                at += 1
                continue
            inner = nodes[at:end]
            if mark.type == "code":
                yield _code("".join(node.text for node in inner))
            elif mark.type == "link" and _is_bare(inner, self._href(mark)):
                yield f"<{self._href(mark)}>"
            else:
                begin, finish = self._edges(mark)
                yield begin
                yield from self._tokens(inner, (*around, mark))
                yield finish
            at = end

    def _is_said(self, mark: Mark) -> bool:
        if mark.type == "link":
            return self._href(mark) is not None
        return mark.type == "code" or mark.type in _DELIMITERS or mark.type in _TAGS

    def _edges(self, mark: Mark) -> "tuple[_Edge, _Edge]":
        if mark.type == "link":
            target = f"{_target(self._href(mark) or '')}{_title(mark.attributes.get('title'))}"
            return _Edge("[", ""), _Edge(f"]({target})", "", ends=True)
        delimiter, tag = _DELIMITERS.get(mark.type) or ("", _TAGS[mark.type])
        return _Edge(f"<{tag}>", delimiter), _Edge(f"</{tag}>", delimiter, ends=True)

    def _href(self, mark: Mark) -> str | None:
        return shown.href_of(mark.attributes.get("href"), self.base)

    def _word(self, node: Node) -> str:
        match node.type:
            case "text":
                return "\n".join(map(_escaped, _lines(node.text)))
            case "hardBreak":
                return "\n"
            case "mention":
                return _escaped(" ".join(shown.mention_of(node.attributes).split()))
            case "inlineMath":
                return _formula_in_line(" ".join(shown.latex_of(node.attributes).split()))
            case name:
                return _escaped(shown.not_shown(name)) + self.line(node.content, " ")


class _Edge(Struct, frozen=True):
    """The start or the end of a mark.

    Attributes:
        element: the edge as it is always read.
        delimiter: the edge as a delimiter, or nothing if the mark has none.
        ends: whether the mark ends here.
    """

    element: str
    delimiter: str
    ends: bool = False


_Token = str | _Edge
"""Words as they are written, or an edge."""


def _resolved(tokens: Sequence[_Token]) -> Iterator[str]:
    """Yield the tokens, each edge as a delimiter that is sure to be read, or as an element."""
    chosen: dict[int, str] = {}
    open_edges: list[tuple[int, _Edge]] = []
    for at, token in enumerate(tokens):
        if isinstance(token, str):
            continue
        if not token.ends:
            open_edges.append((at, token))
            continue
        start, opening = open_edges.pop()
        sign = _sign(opening.delimiter, tokens, start, at)
        chosen[start], chosen[at] = (sign, sign) if sign else (opening.element, token.element)
    for at, token in enumerate(tokens):
        if not isinstance(token, str):
            yield chosen[at]
        elif token.endswith("!") and chosen.get(at + 1) == "[":  # would make a picture of the link
            yield f"{token[:-1]}\\!"
        else:
            yield token


def _sign(delimiter: str, tokens: Sequence[_Token], start: int, end: int) -> str:
    """Return the delimiter for a mark from `start` to `end`, or nothing if none is sure."""
    if not delimiter or end == start + 1:
        return ""
    before, first = _near(tokens, start - 1, -1), _near(tokens, start + 1, 0)
    last, behind = _near(tokens, end - 1, -1), _near(tokens, end + 1, 0)
    if _is_blank(first) or _is_blank(last):
        return ""
    is_within_word = _is_solid(before) or _is_solid(behind)
    for sign in ("_", "*") if delimiter == "_" else (delimiter,):
        if sign[0] in (before, first, last, behind):
            continue
        if sign == "_" and is_within_word:
            continue
        if (_is_solid(first) or not _is_solid(before)) and (_is_solid(last) or not _is_solid(behind)):
            if _is_doubtful(first, before) or _is_doubtful(last, behind):
                continue
            return sign
    return ""


def _near(tokens: Sequence[_Token], at: int, end: int) -> str:
    """Return the character at one end of a token, or a blank where the line ends."""
    token = tokens[at] if 0 <= at < len(tokens) else None
    match token:
        case None:
            return " "
        case str():
            return token[end]
        case _:
            return (token.delimiter or token.element)[end]


def _is_blank(character: str) -> bool:
    return character in "\t\n\v\f\r" or unicodedata.category(character) == "Zs"


def _is_solid(character: str) -> bool:
    """Whether a character is neither blank nor punctuation. Symbols count, as in older releases."""
    return not _is_blank(character) and character not in _PUNCTUATION and unicodedata.category(character)[0] != "P"


def _is_doubtful(inner: str, outer: str) -> bool:
    """Whether releases of CommonMark differ about what an edge between these characters is."""
    is_symbol = inner not in _PUNCTUATION and unicodedata.category(inner)[0] == "S"
    outer_is_symbol = outer not in _PUNCTUATION and unicodedata.category(outer)[0] == "S"
    return (is_symbol and _is_solid(outer)) or (outer_is_symbol and not _is_solid(inner))


def _trimmed(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes of a line, with the blanks at the edges of marks outside of the marks.

    A formula that is empty is left out, because code on both sides of it is one run.
    """
    for node in nodes:
        if node.type == "inlineMath" and not shown.latex_of(node.attributes).strip():
            continue
        if node.type != "text" or not node.marks or any(mark.type == "code" for mark in node.marks):
            yield node
            continue
        inner = node.text.strip(" \t\n\r")
        if inner == node.text:
            yield node
            continue
        if inner == "":
            yield Node("text", text=node.text)
            continue
        at = node.text.index(inner)
        for text, marks in ((node.text[:at], ()), (inner, node.marks), (node.text[at + len(inner) :], ())):
            if text:
                yield Node("text", text=text, marks=marks)


def _last(nodes: Sequence[Node], at: int, mark: Mark) -> int:
    """Return where a mark ends. It goes on over blanks, if it is there behind them again."""
    end = at + 1
    for here in range(at + 1, len(nodes)):
        if mark in nodes[here].marks:
            end = here + 1
        elif not (mark.type != "code" and nodes[here].type == "text" and not nodes[here].text.strip(" \t")):
            break
    return end


def _is_bare(nodes: Sequence[Node], href: str | None) -> bool:
    """Whether a link shows its own address and nothing else."""
    (node, *others) = nodes
    is_web = href is not None and re.fullmatch(r"https?://[!-;=?-~]+", href) is not None
    return is_web and not others and node.text == href and len(node.marks) == 1


def _heading(level: int, line: str) -> str:
    # Signs at the end would be taken for the end of the heading.
    return f"{'#' * level} {re.sub(r'#+$', _backslashed, line)}" if line else ""


def _backslashed(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _lines_of_formula(latex: str) -> list[str]:
    return [line.strip() for line in _lines(latex) if line.strip()]


def _formula(lines: list[str]) -> str:
    """Return a formula by itself, on one line if another one would begin something else."""
    between = "" if any(map(_LINE_START.match, lines)) else "\n"
    return between.join(("$$", (between or " ").join(lines), "$$")) if lines else ""


def _formula_in_line(latex: str) -> str:
    if _FORMULA.fullmatch(latex):
        return f"${latex}$"
    return f'<span data-type="inline-math" data-latex="{escape(latex)}">{_escaped(latex)}</span>' if latex else ""


def _as_entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return "\n".join((f"{fence}{language}", *_lines(text), fence))


def _code(text: str) -> str:
    text = " ".join(_lines(text.replace("\0", "\ufffd")))
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    needs_room = text[:1] in ("`", " ") or text[-1:] in ("`", " ")
    room = " " if needs_room and text.strip(" ") else ""
    return f"{fence}{room}{text}{room}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _indented(text: str, sign: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join((f"{sign}{first}".rstrip(" "), *(" " * len(sign) + line if line else "" for line in rest)))


def _may_follow(text: str, node: Node) -> bool:
    """Whether a list may stand right below a line, which it would otherwise be a part of."""
    if node.type not in ("bulletList", "orderedList", "taskList") or "\n\n" in text:
        return False
    return re.match(r"([-*]|1[.)]) \S", text) is not None


def _is_plain(cell: Node) -> bool:
    """Whether a cell holds only lines, so that a table of Markdown can hold the cell."""
    spans = [whole_number(cell.attributes.get(name), 1, _LARGEST_NUMBER) or 1 for name in ("colspan", "rowspan")]
    is_cell = cell.type in ("tableCell", "tableHeader")
    return is_cell and spans == [1, 1] and all(child.type == "paragraph" for child in cell.content)


def _on_one_line(html: str) -> str:
    """Return HTML without line ends: an empty line would end it."""
    return html.replace("\n", "&#10;")


def _target(href: str) -> str:
    """Return an address as a link's target. Characters that end a target are written in percent."""
    sound = "".join(quote(each) if each in '<>\\`"{}|^ ' or not each.isprintable() else each for each in href)
    return re.sub(r"&(?=#?\w{1,32};)|[()]", lambda found: f"\\{found[0]}", sound)


def _title(title: object) -> str:
    words = " ".join(shown.words_of(title).split())
    escaped = re.sub(r'[\\"&<`]', lambda found: f"\\{found[0]}", words)
    return f' "{escaped}"' if words else ""


def _escaped(words: str) -> str:
    """Return words with a backslash before each character that would mean something."""
    sound = words.replace("\0", "\ufffd")
    return _UNDERSCORE.sub(r"\\_", _SPECIAL.sub(_backslashed, sound))


def _at_line_start(line: str) -> str:
    """Return a line that is not taken for a heading, an item, a quote, a rule or an underline."""
    found = _LINE_START.match(line)
    at = 0 if found is None else found.end(2)
    return line if found is None else f"{line[: max(at, 0)]}\\{line[max(at, 0) :]}"
