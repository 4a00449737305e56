"""Appearance of people: names and colours from strangers, made fit for other people's screens."""

import re
import secrets
import unicodedata
from zlib import crc32

from crdt.protocol.messages import User
from crdt.protocol.requests import Guest

NAME_CHARACTERS = 80
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_COLORS = ("#b3261e", "#9a4b00", "#6b6200", "#2e6b1f", "#00695c", "#00639b", "#3d5afe", "#6a3ec2", "#a1327f", "#5d4037")
"""Dark enough that white letters on them can be read (contrast above 4.5)."""
_JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need; the others reorder or hide text."""


def new_guest(guest: Guest) -> User:
    """Make a User for a newcomer, with a random id that nobody can guess."""
    user_id = "guest-" + secrets.token_urlsafe(12)
    return renamed_guest(User(user_id, "Guest", _color_of(user_id)), guest)


def renamed_guest(user: User, guest: Guest) -> User:
    """Return the user with a new name and colour. A value that cannot be shown is ignored."""
    name = user.name if guest.name is None else shown_name(guest.name) or user.name
    color = guest.color.lower() if guest.color is not None and _COLOR.match(guest.color) else user.color
    return User(user.user_id, name, color)


def person(user_id: str, *names: str | None, color: str | None = None) -> User:
    """Build a User from the first presentable name. Without a colour, the id decides the colour."""
    name = next((shown for each in names if each and (shown := shown_name(each))), "Somebody")
    if color is None or not _COLOR.match(color):
        color = _color_of(user_id)
    return User(user_id, name, color.lower())


def _color_of(user_id: str) -> str:
    return _COLORS[crc32(user_id.encode(errors="surrogatepass")) % len(_COLORS)]


def is_color(value: object) -> bool:
    """Whether a value is a colour of the form `#rrggbb`."""
    return isinstance(value, str) and _COLOR.match(value) is not None


def shown_name(name: str) -> str:
    """Return a name on one line, without characters that hide or turn text.

    Returns "" if nothing is left.
    """
    # Four times the bound leaves room for removed characters, and keeps the work small.
    letters = (_letter(character) for character in name[: 4 * NAME_CHARACTERS])
    return " ".join("".join(letters).split())[:NAME_CHARACTERS].strip()


def _letter(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Cf" | "Cs" | "Co" | "Cn":
            return character if character in _JOINERS else ""
        case _:
            return character
