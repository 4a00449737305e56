"""Blocks from Markdown: CommonMark with GitHub's tables, tasks, strikes, callouts and formulas.

The counterpart of crdt/content/markdown.py. The Markdown is turned into the HTML that our own pages
have, because it may hold HTML anyway, and crdt/content/from_html.py reads that. Only the sandbox
may call `blocks_of_markdown`.
"""

import re
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from crdt.content.from_html import Read, blocks_of_html

_TASK = re.compile(r"\[([ xX])\](?:\s+|$)")
_CALLOUT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)")
_FORMULA = re.compile(r"(?<!\d)(\$\$?)(?![\s$])((?:\\.|[^\\$])+)(?<!\s)\1(?!\d)", re.DOTALL)
"""A formula among words. Sums of money are none: blanks within, and digits outside, say so."""

_KINDS = {"NOTE": "info", "TIP": "tip", "IMPORTANT": "warning", "WARNING": "warning", "CAUTION": "warning"}


def blocks_of_markdown(markdown: str, base: str) -> Read:
    """Read blocks. `base` is the server's address, without a path.

    Raises ProtocolError(too_large) if the Markdown is nested too deeply.
    """
    return blocks_of_html(_parser().render(markdown), base, from_markdown=True)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin)
    # The plugin's own rule looks at the line's last character when a formula begins the line.
    parser.inline.ruler.at("math_inline", _take_formula)
    # Before `inline`, where the words are as they were written: `\[x]` is no task.
    parser.core.ruler.before("inline", "tasks", _mark_tasks)
    parser.core.ruler.before("inline", "callouts", _mark_callouts)
    parser.add_render_rule("math_inline", _formula_in_line)
    parser.add_render_rule("math_block", _formula)
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    return parser


def _mark_tasks(state: StateCore) -> None:
    for item, line, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, line.type, inline.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        found = _TASK.match(inline.content)
        if found is not None:
            inline.content = inline.content[found.end() :]
            item.attrSet("data-type", "taskItem")
            item.attrSet("data-checked", "false" if found[1] == " " else "true")


def _mark_callouts(state: StateCore) -> None:
    open_quotes: list[Token | None] = []
    for at, token in enumerate(state.tokens):
        if token.type == "blockquote_open":
            open_quotes.append(token if _make_callout(token, state.tokens[at + 1 : at + 4]) else None)
        elif token.type == "blockquote_close" and open_quotes.pop() is not None:
            token.tag = "div"


def _make_callout(quote: Token, inside: list[Token]) -> bool:
    if [token.type for token in inside] != ["paragraph_open", "inline", "paragraph_close"]:
        return False
    found = _CALLOUT.match(inside[1].content)
    if found is None:
        return False
    inside[1].content = inside[1].content[found.end() :]
    quote.tag = "div"
    quote.attrSet("data-type", "callout")
    quote.attrSet("data-kind", _KINDS[found[1]])
    if not inside[1].content:
        inside[0].hidden = inside[2].hidden = True  # a head without words is no line
    return True


def _take_formula(state: StateInline, silent: bool) -> bool:
    found = _FORMULA.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("math_inline", "math", 0).content = found[2]
    state.pos = found.end()
    return True


def _formula_in_line(_self: object, tokens: list[Token], at: int, *_options: Any) -> str:
    return f'<span data-type="inline-math" data-latex="{escape(tokens[at].content)}"></span>'


def _formula(_self: object, tokens: list[Token], at: int, *_options: Any) -> str:
    return f'<div data-type="block-math" data-latex="{escape(tokens[at].content.strip())}"></div>\n'


def _code(_self: object, tokens: list[Token], at: int, *_options: Any) -> str:
    """Write code without the line end that Markdown puts behind its last line."""
    name = tokens[at].info.split(maxsplit=1)[:1]
    given = f' class="language-{escape(name[0])}"' if name else ""
    return f"<pre><code{given}>{escape(tokens[at].content.removesuffix(chr(10)))}</code></pre>\n"
