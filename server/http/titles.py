"""A title as somebody typed it -> a title as everybody sees it."""

import unicodedata

from crdt.errors import Code, ProtocolError

MAX_TITLE = 300
"""Characters."""

UNTITLED = "Untitled document"

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Directional marks: left open, they turn the text around them on a page, so that one title can pass for another."""


def clean_text(text: str) -> str:
    """Normalise to NFC on one line without control characters, directional marks, lone surrogates or outer spaces."""
    kept = "".join(map(_kept, text))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def clean_title(title: str) -> str:
    """Make a title fit to be shown; an empty one is called `UNTITLED`. Raises ProtocolError(too_large) when it is too long."""
    cleaned = clean_text(title)
    if len(cleaned) > MAX_TITLE:
        raise ProtocolError(Code.TOO_LARGE, f"A title may have {MAX_TITLE} characters at most.")
    return cleaned or UNTITLED


def _kept(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cs":
            return ""
        case _:
            return "" if character in _TURNING else character
