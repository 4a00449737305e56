"""Body of a comment: paragraphs of words with few formats and mentions, in ProseMirror's JSON.

A body is never HTML. What the types do not name is refused, or dropped where editors add it by
themselves (attributes of links and mentions). A link may lead where links of documents may lead.
"""

from typing import Annotated

from msgspec import Meta, Struct, field

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
