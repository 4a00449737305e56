"""Programs of the reference set-up: Redis, PostgreSQL, a node and HAProxy, each on loopback."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.loopback.program import CannotStart, Command, identity, inherited

REPOSITORY = Path(__file__).parents[2]
HAPROXY_CONFIG = REPOSITORY / "deploy" / "haproxy.cfg"

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
"""Search path for programs. Debian keeps servers where an ordinary user's PATH does not lead."""


def redis(directory: Path, port: int) -> Command:
    """Return the command of a Redis that writes nothing to disk. Nothing in it has to last."""
    directory.mkdir(parents=True, exist_ok=True)
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "loglevel": "warning"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Command([_find("redis-server"), *arguments], directory)


def node(directory: Path, port: int, database_url: str, redis_url: str) -> Command:
    """Return the command of a node.

    The node trusts the balancer's headers. It says within a second if PostgreSQL does not answer.
    """
    environ = {
        "MANYHANDS_HOST": "127.0.0.1",
        "MANYHANDS_PORT": str(port),
        "MANYHANDS_DATA_DIR": str(directory),
        "MANYHANDS_DATABASE_URL": database_url,
        "MANYHANDS_REDIS_URL": redis_url,
        "MANYHANDS_TRUSTED_PROXIES": "127.0.0.1",
        "MANYHANDS_READY_SECONDS": "1",
    }
    return Command([sys.executable, "-m", "server", "serve"], REPOSITORY, environ)


def haproxy(directory: Path, port: int, nodes: Sequence[int]) -> Command:
    """Return the command of HAProxy with deploy/haproxy.cfg as it is.

    SIGUSR2 reloads the file. The directory's owner may ask HAProxy questions at haproxy.sock.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environ = {f"NODE_{number}": f"127.0.0.1:{each}" for number, each in enumerate(nodes, 1)}
    environ["LISTEN"] = f"127.0.0.1:{port}"
    asked_at = f"{directory / 'haproxy.sock'},mode,600"
    return Command([_find("haproxy"), "-W", "-S", asked_at, "-f", str(HAPROXY_CONFIG)], directory, environ)


class Postgres:
    """A PostgreSQL of our own, which is made if it is not there yet.

    If we are root, it runs as the user `postgres`, because PostgreSQL refuses to run as root.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._user = "postgres" if os.geteuid() == 0 else None
        self._password_file = directory.with_suffix(".password")

    @property
    def command(self) -> Command:
        options = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        argv = [_postgres("postgres"), "-D", str(self._directory), *settings]
        # SIGINT ends PostgreSQL at once and in good order. SIGTERM lets it wait for its clients.
        return Command(argv, Path("/"), user=self._user, last_words=signal.SIGINT)

    def url(self, port: int) -> str:
        """Return the database's address for nodes, with this port: its own, or a relay's."""
        return f"postgresql://manyhands:{self._password_file.read_text()}@127.0.0.1:{port}/manyhands"

    async def prepare(self) -> None:
        """Make PostgreSQL's data directory unless it is there. Raises CannotStart."""
        if self._password_file.exists() and (self._directory / "PG_VERSION").exists():
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(18)
        for_initdb = self._directory.with_suffix(".initdb")
        _write_secret(for_initdb, password, self._user)
        if self._user is not None:
            shutil.chown(self._directory, self._user, self._user)
            self._refuse_closed_doors()
        try:
            await self._run(
                *(_postgres("initdb"), "-D", str(self._directory), "--username=manyhands", "--encoding=UTF8"),
                *("--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={for_initdb}"),
            )
        finally:
            for_initdb.unlink()
        _write_secret(self._password_file, password, None)

    async def answers(self) -> bool:
        """Whether PostgreSQL takes connections."""
        try:
            await self._run(_postgres("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port))
        except CannotStart:
            return False
        return True

    async def make_database(self) -> None:
        """Make the database `manyhands` unless it is there. PostgreSQL must be running."""
        address = ("-h", "127.0.0.1", "-p", str(self._port), "-U", "manyhands")
        environ = {"PGPASSWORD": self._password_file.read_text()}
        found = await self._run(
            *(_postgres("psql"), *address, "-d", "postgres", "-Atc"),
            "SELECT 1 FROM pg_database WHERE datname = 'manyhands'",
            environ=environ,
        )
        if not found.strip():
            await self._run(_postgres("createdb"), *address, "manyhands", environ=environ)

    def _refuse_closed_doors(self) -> None:
        """Raise CannotStart if the user `postgres` cannot reach the directory from the root."""
        for parent in self._directory.absolute().parents:
            if not parent.stat().st_mode & 0o001:
                raise CannotStart(
                    f"PostgreSQL, which does not run as root, cannot reach {self._directory}: {parent} is closed to other users. "
                    f"Start this as an ordinary user, or open the way with: chmod o+x {parent}"
                )

    async def _run(self, *argv: str, environ: dict[str, str] | None = None) -> str:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd="/",
            env={**inherited(), **(environ or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **identity(self._user),
        )
        out, complaints = await process.communicate()
        if process.returncode:
            raise CannotStart(f"{Path(argv[0]).name} failed: {complaints.decode(errors='replace').strip()}")
        return out.decode()


def _write_secret(path: Path, text: str, owner: str | None) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    if owner is not None:
        os.chown(path, pwd.getpwnam(owner).pw_uid, -1)


def _find(program: str) -> str:
    found = shutil.which(program, path=_PATH)
    if found is None:
        raise CannotStart(f"{program} is missing. On Debian: apt-get install {program}")
    return found


def _postgres(program: str) -> str:
    """Find one of PostgreSQL's programs: the newest of Debian's, or the one on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    if installed:
        return str(installed[-1])
    found = shutil.which(program, path=_PATH)
    if found is None:
        raise CannotStart(f"PostgreSQL's {program} is missing. On Debian: apt-get install postgresql")
    return found
