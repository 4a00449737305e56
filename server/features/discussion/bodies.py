"""Bodies of comments: paragraphs of words with few formats and mentions, in ProseMirror's JSON.

A body is never HTML. What the types do not name is refused, or dropped where editors add it by
themselves (attributes of links and mentions). A link may lead where links of documents may lead.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from crdt.content.attributes import href_of
from crdt.errors import Code, ProtocolError

MAX_CHARACTERS = 10_000
"""Most characters of a body."""

MAX_PARAGRAPHS = 200
MAX_PIECES = 500
"""Most pieces of text and mentions in one paragraph."""

MAX_HREF = 2000
MAX_MENTIONS = 20
"""Most different people whom one comment mentions."""

EXCERPT = 200
"""Characters of a comment that the inbox and mails show."""

MAX_USER_ID = 200


class Href(Struct):
    """The place that a link leads to."""

    href: Annotated[str, Meta(max_length=MAX_HREF)]


class Linked(Struct, tag="link", forbid_unknown_fields=True):
    """A link."""

    attrs: Href


class Bold(Struct, tag="bold", forbid_unknown_fields=True):
    """Bold words."""


class Italic(Struct, tag="italic", forbid_unknown_fields=True):
    """Italic words."""


class Monospace(Struct, tag="code", forbid_unknown_fields=True):
    """Code among words."""


Mark = Bold | Italic | Monospace | Linked


class Words(Struct, tag="text", forbid_unknown_fields=True, omit_defaults=True):
    """Words that have the same formats."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS)]
    marks: Annotated[list[Mark], Meta(max_length=4)] = field(default_factory=list)


class Mentioned(Struct):
    """The person whom a mention names. The server fills in `label`, which is their name."""

    id: Annotated[str, Meta(min_length=1, max_length=MAX_USER_ID)]
    label: str = ""


class Mention(Struct, tag="mention", forbid_unknown_fields=True):
    """A mention of a person, who is told of it."""

    attrs: Mentioned


class Paragraph(Struct, tag="paragraph", forbid_unknown_fields=True):
    """A paragraph of a comment."""

    content: Annotated[list[Words | Mention], Meta(max_length=MAX_PIECES)] = field(default_factory=list)


Body = Annotated[list[Paragraph], Meta(min_length=1, max_length=MAX_PARAGRAPHS)]

decode_body = msgspec.json.Decoder(list[Paragraph]).decode
"""Read a stored body."""

_ANYWHERE = "https://relative.invalid"


def cleaned(text: str) -> str:
    """Drop what a database cannot hold: the NUL character, and halves of surrogate pairs."""
    return text.encode(errors="ignore").decode().replace("\0", "")


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
"""Unicode's categories of what shows nothing. A letter that Python does not know yet may show."""


def clean_body(body: Sequence[Paragraph]) -> list[Paragraph]:
    """Return a body as it may be stored.

    Raises ProtocolError (malformed, too_large) if it says nothing, says too much, or has a link
    that may not lead where it leads.
    """
    paragraphs = [Paragraph(list(filter(None, map(_clean, paragraph.content)))) for paragraph in body]
    words = text_of(paragraphs)
    if len(words) > MAX_CHARACTERS:
        raise ProtocolError(Code.TOO_LARGE, f"A comment may have {MAX_CHARACTERS} characters at most.")
    if all(unicodedata.category(each) in _UNSEEN for each in words):  # a space without width is no word
        raise ProtocolError(Code.MALFORMED, "A comment must say something: its body has no words.")
    if len(mentions_of(paragraphs)) > MAX_MENTIONS:
        raise ProtocolError(Code.TOO_MANY, f"A comment may mention {MAX_MENTIONS} people at most.")
    return paragraphs


def _clean(piece: Words | Mention) -> Words | Mention | None:
    if isinstance(piece, Mention):
        named = cleaned(piece.attrs.id)
        return Mention(Mentioned(named)) if named else None
    for mark in piece.marks:
        if isinstance(mark, Linked) and href_of(cleaned(mark.attrs.href), _ANYWHERE) is None:
            message = "A link in the comment may not lead there: it must be http, https or mailto."
            raise ProtocolError(Code.MALFORMED, message)
    marks = [Linked(Href(cleaned(each.attrs.href))) if isinstance(each, Linked) else each for each in piece.marks]
    text = cleaned(piece.text)
    return Words(text, marks) if text else None


def mentions_of(body: Sequence[Paragraph]) -> tuple[str, ...]:
    """Return the ids of the people whom a body mentions, each once."""
    return tuple(dict.fromkeys(mention.attrs.id for mention in _mentions(body)))


def name_mentions(body: Sequence[Paragraph], names: Mapping[str, str]) -> None:
    """Write into each mention how its person is called."""
    for mention in _mentions(body):
        mention.attrs.label = names[mention.attrs.id]


def _mentions(body: Sequence[Paragraph]) -> Iterator[Mention]:
    return (piece for paragraph in body for piece in paragraph.content if isinstance(piece, Mention))


def text_of(body: Sequence[Paragraph]) -> str:
    """Return a body as plain text."""
    return "\n".join("".join(map(_text, paragraph.content)) for paragraph in body)


def excerpt_of(body: str) -> str:
    """Return how a stored body begins, on one line; nothing of no body."""
    words = " ".join(text_of(decode_body(body)).split()) if body else ""
    return words if len(words) <= EXCERPT else words[: EXCERPT - 1] + "…"


def _text(piece: Words | Mention) -> str:
    return piece.text if isinstance(piece, Words) else f"@{piece.attrs.label or piece.attrs.id}"
