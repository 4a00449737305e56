"""Guests: people without an account, whom a signed cookie makes the same person the next time.

A cookie that is missing, forged, altered, cut short or older than a year makes a newcomer, and is
never an error.
"""

from collections.abc import Callable

from crdt.protocol.messages import User
from crdt.protocol.requests import Guest
from server.auth.appearance import new_guest, renamed_guest
from server.auth.base import Credentials, Identity
from server.auth.cookies import SESSION, YEAR, Cookie
from server.auth.secret import Seal, SecretKey

RENEWED_AFTER = 30 * 24 * 3600
"""Seconds after which a cookie is made anew.

So a person who comes at least once a year stays the same person.
"""


class GuestAuthenticator:
    """Recognises people by their cookies; others are newcomers. `clock` returns unix seconds."""

    def __init__(self, key: SecretKey, clock: Callable[[], float]) -> None:
        self._seal = Seal(key, "guest", YEAR, clock)
        self._clock = clock

    async def identify(self, credentials: Credentials) -> Identity:
        """Recognise a guest, and give them the name and colour that they ask for now.

        A newcomer's identity does not last, unless the browser is given a `cookie`.
        """
        facts = self._seal.open(credentials.cookie)
        match facts:
            case {"id": str(user_id), "name": str(name), "color": str(color)}:
                user = User(user_id, name, color)
                news = credentials.guest
                return Identity(user if news == Guest() else renamed_guest(user, news), "guest")
            case _:
                return Identity(new_guest(credentials.guest), "guest", lasting=False)

    def cookie(self, user: User) -> Cookie:
        """Return the cookie by which the browser is recognised as this person."""
        facts = {"id": user.user_id, "name": user.name, "color": user.color}
        return Cookie(SESSION, self._seal.close(facts), self._seal.seconds)

    def is_old(self, cookie: str | None) -> bool:
        """Whether a cookie is valid, but should be made anew."""
        facts = self._seal.open(cookie)
        sealed_at = None if facts is None else facts["sealed_at"]
        return isinstance(sealed_at, float | int) and self._clock() - sealed_at >= RENEWED_AFTER


def rename(identity: Identity, guest: Guest) -> Identity:
    """Return the same guest with another name or colour."""
    return Identity(renamed_guest(identity.user, guest), "guest", lasting=identity.lasting)
