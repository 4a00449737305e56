"""Attributes as they may be shown: addresses, colours and words that came from other people.

These are the rules of the editor (client_web/schema/src/allowed.ts and its neighbours).
tests/vectors/contents.json holds what both sides must say of the same values.
"""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from crdt.content.schema import SCHEMA, whole_number

ELSEWHERE = "Image kept on another server"
"""Words for a picture that is not on this server and has no description."""

CALLOUTS = {"info": "Note", "tip": "Tip", "warning": "Warning"}
"""What a callout's kinds are called. Others are shown as the first one."""

ALIGNMENTS = ("left", "center", "right", "justify")

_SCHEMES = ("http", "https", "mailto")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ATTACHMENT = re.compile(r"/api/documents/[\w-]{8,64}/attachments/[0-9a-f]{64}", re.ASCII)
_COLOR = re.compile(r"#[0-9a-f]{3,8}|[a-z]{3,24}|(rgb|hsl)a?\([\d\s.,%/]{1,48}\)", re.IGNORECASE | re.ASCII)
_FONT = re.compile(r"[\w\s,'\"-]{1,160}")
_FONT_SIZE = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)(pt|px|em|rem|%)", re.ASCII)
_LARGEST_SIZE = {"pt": 400, "px": 533, "em": 25, "rem": 25, "%": 999}
_SPACING = re.compile(r"\d(\.\d{1,2})?", re.ASCII)
_ANCHOR = re.compile(r"[\w-]{4,32}", re.ASCII)
_BLANKS = "".join(map(chr, range(33)))
"""Characters that a browser ignores around an address."""


def href_of(value: object, base: str) -> str | None:
    """Return where a link leads, or None if it may not lead there.

    What is relative to this server gets the server's address in front, but a place in the same
    document stays short.
    """
    if not isinstance(value, str):
        return None
    # A browser forgives tabs and line ends anywhere: to it, `java\nscript:` is a scheme.
    href = re.sub(r"[\t\n\r]", "", value).strip(_BLANKS)
    scheme = _SCHEME.match(href)
    if href == "" or (scheme and scheme[1].lower() not in _SCHEMES):
        return None
    try:
        absolute = href if href.startswith("#") else urljoin(f"{base}/", href)
        urlsplit(absolute).port  # noqa: B018 - raises if the address is none
    except ValueError:
        return None
    return absolute


def picture_of(src: object, base: str) -> str | None:
    """Return the whole address of a picture of this server, or None for any other picture."""
    return f"{base}{src}" if isinstance(src, str) and _ATTACHMENT.fullmatch(src) else None


def color_of(value: object) -> str | None:
    return _matching(_COLOR, value)


def font_of(value: object) -> str | None:
    font = _matching(_FONT, value)
    return (
        font if font and all(each.isalpha() or each.isspace() or each in "0123456789,'\"-" for each in font) else None
    )


def font_size_of(value: object) -> str | None:
    found = _FONT_SIZE.fullmatch(value) if isinstance(value, str) else None
    return found[0] if found and 0 < float(found[1]) <= _LARGEST_SIZE[found[2]] else None


def spacing_of(value: object) -> str | None:
    found = _matching(_SPACING, value)
    return found if found is not None and 1 <= float(found) <= 4 else None


def anchor_of(value: object) -> str | None:
    return _matching(_ANCHOR, value)


def indent_of(value: object) -> int | None:
    levels = whole_number(value, 0, SCHEMA.most.indent)
    return levels or None


def caption_of(attributes: dict[str, Any]) -> str:
    return words_of(attributes.get("caption"))[: SCHEMA.most.caption]


def latex_of(attributes: dict[str, Any]) -> str:
    return words_of(attributes.get("latex"))[: SCHEMA.most.formula]


def mention_of(attributes: dict[str, Any]) -> str:
    """Return how a mention reads among words."""
    names = [words_of(attributes.get(key)) for key in ("label", "id")]
    return f"@{next((name for name in names if name.strip()), 'somebody')}"


def callout_of(attributes: dict[str, Any]) -> str:
    kind = words_of(attributes.get("kind"))
    return kind if kind in CALLOUTS else next(iter(CALLOUTS))


def words_of(value: object) -> str:
    """Return a text, and nothing for any other value."""
    return value if isinstance(value, str) else ""


def not_shown(name: str) -> str:
    """Return the words in the place of what this release does not know."""
    named = " ".join(name.split()) or "something without a name"
    return f"[Not shown here: {named if len(named) <= 40 else named[:40] + '…'}]"


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
