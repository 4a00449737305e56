"""Forms of a setting's text. Each says what it wants, and parses a text or raises ValueError."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from crdt.budget import Rate

T = TypeVar("T")

_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}\Z")
_NODE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}\Z")
_RATE = re.compile(r"([0-9]{1,12})/([0-9]{1,12})\Z")
_REDIS = {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """A form. `wants` completes the sentence "MANYHANDS_PORT must be …"."""

    wants: str
    parse: Callable[[str], T]


class Setting(NamedTuple):
    """The declaration of a setting, beside its type and default."""

    form: Form[Any]
    unit: str
    reason: str
    secret: bool = False


def setting(default: T, form: Form[Any], unit: str, reason: str, *, secret: bool = False) -> T:
    """Declare a field of a dataclass as a setting. `reason` is the reason for the default."""
    return field(default=default, metadata={"setting": Setting(form, unit, reason, secret)})


def _when(good: object, value: T) -> T:
    if not good:
        raise ValueError
    return value


def is_loopback(name: str) -> bool:
    """Whether only this machine can reach the address."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def integer(least: int, most: int) -> Form[int]:
    """Return the form of a whole number, written in decimal digits only."""

    def parse(text: str) -> int:
        return _when(re.fullmatch(r"[0-9]{1,18}", text) and least <= int(text) <= most, int(text))

    return Form(f"a whole number from {least} to {most}", parse)


def number(least: float, most: float) -> Form[float]:
    """Return the form of a decimal number, for example of seconds."""

    def parse(text: str) -> float:
        return _when(re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) and least <= float(text) <= most, float(text))

    return Form(f"a number from {least:g} to {most:g}", parse)


def choice(*words: str) -> Form[str]:
    """Return the form of one of a few words, in upper or lower case."""

    def parse(text: str) -> str:
        return _when(text.lower() in words, text.lower())

    return Form("one of " + ", ".join(words), parse)


def _rate(text: str) -> Rate:
    found = _RATE.match(text)
    if found is None or not 0 < int(found[1]) <= int(found[2]):
        raise ValueError
    return Rate(int(found[1]), int(found[2]))


def text(most: int) -> Form[str]:
    """Return the form of a text on one line."""

    def parse(text: str) -> str:
        return _when(len(text) <= most and text.isprintable(), text)

    return Form(f"text of {most} characters at most", parse)


def secret(least: int) -> Form[str]:
    """Return the form of a secret."""

    def parse(text: str) -> str:
        return _when(least <= len(text) <= 1000, text)

    return Form(
        f"at least {least} characters that nobody can guess, such as those that `openssl rand -base64 32` prints", parse
    )


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare:
        return str(ipaddress.IPv6Address(bare))
    return _when(_HOST.match(bare), bare)


def _directory(text: str) -> Path:
    return _when("\0" not in text, Path(text).expanduser())


def _database_url(text: str) -> str:
    sqlite = text.startswith("sqlite:///") and len(text) > len("sqlite:///")
    postgres = text.partition("://")[0] in ("postgresql", "postgres", "postgresql+asyncpg") and bool(
        urlsplit(text).path.strip("/")
    )
    return _when(sqlite or postgres, text)


def _redis_url(text: str) -> str:
    scheme, _, place = text.partition("://")
    return _when(scheme in _REDIS and place, text)


def _smtp_url(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and text.isprintable()
    _ = parts.port  # raises ValueError if it is none
    return _when(parts.scheme in ("smtp", "smtps") and parts.hostname and plain, text)


def _mail_from(text: str) -> str:
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    return _when(local and at and domain and text.isprintable() and len(text) <= 300, text)


def _node_id(text: str) -> str:
    return _when(_NODE_ID.match(text), text)


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(each.strip()) for each in text.split(",") if each.strip())


def _origin(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError
    default_port = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{name}{port}"


def _trusted_url(text: str) -> str:
    """Parse a URL of keys, which must not be changed on the way: the keys decide who people are."""
    parts = urlsplit(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    plain = not parts.fragment and "@" not in parts.netloc and text.isprintable()
    return _when(safe and parts.hostname and plain, text)


def _public_key(text: str) -> str:
    from server.auth.tokens import public_key  # cryptography loads slowly, and is seldom needed

    pem = text.replace("\\n", "\n") if text.startswith("-----BEGIN") else _file(text)
    public_key(pem)
    return pem


def _file(name: str) -> str:
    try:
        return Path(name).expanduser().read_text(encoding="ascii")
    except OSError:
        raise ValueError from None


def _scopes(text: str) -> str:
    scopes = text.split()
    return _when("openid" in scopes and text.isprintable() and len(text) <= 500, " ".join(scopes))


def _networks(text: str) -> tuple[str, ...]:
    networks = (ipaddress.ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())
    return tuple(str(network) for network in networks)


FLAG = Form("0 or 1", _flag)
HOST = Form("an IP address or a host name", _host)
DIRECTORY = Form("a path to a directory", _directory)
DATABASE_URL = Form("a URL such as sqlite:////srv/manyhands.db or postgresql://user:password@host/name", _database_url)
REDIS_URL = Form("a URL such as redis://:password@host:6379/0 or rediss://…", _redis_url)
SMTP_URL = Form("a URL such as smtp://user:password@host:587 or smtps://host", _smtp_url)
MAIL_FROM = Form("an e-mail address, such as Manyhands <docs@example.com>", _mail_from)
NODE_ID = Form("letters, digits, dots, dashes and colons, at most 100", _node_id)
ORIGINS = Form("origins such as https://docs.example.com, separated by commas", _origins)
RATE = Form("two whole numbers such as 10/200: the amount per second, and the amount at once after a pause", _rate)
NETWORKS = Form("IP addresses or networks such as 10.0.0.0/8, separated by commas", _networks)
TRUSTED_URL = Form("a URL that begins with https:// (or http:// and an address of this machine)", _trusted_url)
PUBLIC_URL = Form("an origin such as https://docs.example.com", _origin)
PUBLIC_KEY = Form("a public key in PEM, or a file with one: RSA of at least 2048 bits or EC on P-256", _public_key)
SCOPES = Form("scopes separated by spaces, openid among them", _scopes)
