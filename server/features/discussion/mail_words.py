"""Words of the mail about what stays unread, in each language that the page speaks."""

from collections.abc import Mapping

from msgspec import Struct

from server.http.plain_pages import ENGLISH, GERMAN
from server.store.inbox_base import Reason


class Words(Struct, frozen=True, kw_only=True):
    """Words of one language. Names and numbers stand in braces.

    Attributes:
        more: behind the subject, when there is more than the subject names.
        waits: how much is new, for one thing and for several.
        why: the reason for which somebody gets this mail.
        stop: the words of the link that ends the mail.
    """

    language: str
    hello: str
    waits: tuple[str, str]
    more: str
    inbox: str
    why: str
    stop: str
    says: Mapping[Reason, str]


IN_ENGLISH = Words(
    language=ENGLISH,
    hello="Hello {name},",
    waits=("something is new for you, and you have not seen it yet:", "{count} things are new for you:"),
    more="{about} (and {count} more)",
    inbox="Your inbox holds everything: {address}",
    why="You get this mail because you have not been there for ten minutes since. There is one at most every ten minutes.",
    stop="No more such mail",
    says={
        Reason.MENTION: "{name} mentioned you",
        Reason.REPLY: "{name} replied",
        Reason.ASSIGNED: "{name} assigned a thread to you",
        Reason.RESOLVED: "{name} resolved a thread",
        Reason.SUGGESTION_ACCEPTED: "{name} accepted your suggestion",
        Reason.SUGGESTION_REJECTED: "{name} rejected your suggestion",
        Reason.SHARED: "{name} shared the document with you",
    },
)

IN_GERMAN = Words(
    language=GERMAN,
    hello="Hallo {name},",
    waits=("etwas ist neu für dich, und du hast es noch nicht gesehen:", "{count} Dinge sind neu für dich:"),
    more="{about} (und {count} weitere)",
    inbox="Alles steht in deinem Posteingang: {address}",
    why="Diese Mail kommt, weil du seit zehn Minuten nicht dort warst. Höchstens alle zehn Minuten kommt eine.",
    stop="Keine solchen Mails mehr",
    says={
        Reason.MENTION: "{name} hat dich erwähnt",
        Reason.REPLY: "{name} hat geantwortet",
        Reason.ASSIGNED: "{name} hat dir einen Kommentar zugewiesen",
        Reason.RESOLVED: "{name} hat deinen Kommentar erledigt",
        Reason.SUGGESTION_ACCEPTED: "{name} hat deinen Vorschlag angenommen",
        Reason.SUGGESTION_REJECTED: "{name} hat deinen Vorschlag abgelehnt",
        Reason.SHARED: "{name} hat das Dokument mit dir geteilt",
    },
)


def words_in(language: str) -> Words:
    """Return the words of a language, or else English ones."""
    return IN_GERMAN if language == GERMAN else IN_ENGLISH
