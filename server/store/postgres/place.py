"""Place of a PostgreSQL database: its URL, and the part of the URL that may be shown.

Nothing here needs PostgreSQL's driver.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from crdt.errors import Unavailable

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_EXAMPLE = "postgresql://user:password@host/database"


def is_postgres_url(url: str) -> bool:
    """Whether a database URL names a PostgreSQL database."""
    return url.partition(":")[0].lower() in _SCHEMES


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a database. `name` may be shown to people, but `dsn` and `secrets` may not."""

    name: str
    dsn: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    files: tuple[str, ...] = ()
    """The files that the URL names for TLS."""

    @classmethod
    def of(cls, url: str) -> "Place":
        """Read a URL. Raises Unavailable, without quoting the URL, if it cannot be read.

        The query may hold everything that libpq understands: sslmode, sslrootcert,
        target_session_attrs ….
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise Unavailable(f"The database URL cannot be read; it should look like {_EXAMPLE}.") from None
        if "@" in parts.path + parts.query or parts.fragment:
            message = "In the database URL's user name and password, write @ / ? # : % as %40 %2F %3F %23 %3A %25."
            raise Unavailable(message)
        if len(parts.path) < 2:
            raise Unavailable(f"The database URL names no database; it should look like {_EXAMPLE}.")
        user_and_password, _, hosts = parts.netloc.rpartition("@")
        password = user_and_password.partition(":")[2]
        query = parse_qs(parts.query)
        secrets = (password, unquote(password), *query.get("password", ()))
        files = tuple(file for name in _FILES for file in query.get(name, ()))
        dsn = parts._replace(scheme="postgresql").geturl()
        return cls(f"postgresql://{hosts}{parts.path}", dsn, tuple(filter(None, secrets)), files)

    def redacted(self, text: str) -> str:
        """Take the secrets out of a driver's message."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text
