"""Which requests open a WebSocket session as Socket.IO's clients do, without anything that engineio would have to look at."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

_LOOKED_AT = frozenset({b"host", b"origin", b"upgrade"})


def plain_opening(scope: Mapping[str, Any], allows: Callable[[str, Mapping[str, Any]], bool]) -> bool:
    """Whether engineio would open a session for this WebSocket request of ASGI. `allows`: an Origin, by the Host that was asked for."""
    if not _asks_for_session(scope.get("query_string", b"")):
        return False
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _LOOKED_AT:
            if name in found:
                return False
            found[name] = value
    if found.get(b"upgrade", b"").lower() != b"websocket":
        return False
    try:
        host, origin = found.get(b"host", b"").decode(), found.get(b"origin", b"").decode()
    except UnicodeDecodeError:
        return False
    return not origin or allows(origin, {"HTTP_HOST": host})


def names_transport(query: bytes) -> bool:
    """Whether a query names a transport, perhaps with escapes: engineio would take none for polling."""
    return any(field.partition(b"=")[0] == b"transport" for field in unquote_to_bytes(query).split(b"&"))


def _asks_for_session(query: bytes) -> bool:
    """Whether a query names the protocol and this transport, once, and neither a session nor anything else that engineio heeds."""
    fields = query.split(b"&")
    if b"EIO=4" not in fields or b"transport=websocket" not in fields:
        return False
    # Names may be written with escapes: then it is not plain.
    names = [field.partition(b"=")[0] for field in fields]
    return (
        names.count(b"EIO") == names.count(b"transport") == 1
        and b"sid" not in names
        and b"j" not in names
        and not any(b"%" in name or b"+" in name for name in names)
    )
