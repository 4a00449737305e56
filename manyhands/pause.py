"""Pauses: before the next try to connect, and before a token is renewed. Pure."""

import base64
import json

_FIRST_CEILING = 0.5
_LAST_CEILING = 30.0
"""Seconds: they spare a server that is down for hours, and nobody wonders what happens."""

_AHEAD = 60.0
"""Seconds before its end at which a token is renewed, or a fifth of its time if that is less."""
_SHORTEST_RENEWAL = 10.0
_DAY = 86_400.0


def pause_before(tries: int, random: float) -> float:
    """Return seconds before try number `tries`, 0 being the first after a failure.

    The ceiling doubles with each try. The pause is anywhere below, by `random` in [0, 1), so that
    the clients of a server that comes back do not arrive in waves.
    """
    return random * min(_LAST_CEILING, _FIRST_CEILING * 2.0 ** min(tries, 16))


def renew_after(token: str, now: float) -> float | None:
    """Return seconds until a token (JWT) should be renewed; None if it does not tell its end."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        left = float(claims["exp"]) - now
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return min(_DAY, max(_SHORTEST_RENEWAL, left - min(_AHEAD, left / 5)))
