"""A real PostgreSQL on loopback, with fsync and passwords, to be killed, paused and restarted."""

import asyncio
import contextlib
import itertools
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port
from tests.harness.processes import mortal

PASSWORD = "s3cr3t/pass:word@"
PASSWORD_IN_URLS = "s3cr3t%2Fpass%3Aword%40"
"""Seconds after which a server that has not read its settings counts as broken."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "autovacuum": "off",  # it only takes time from other tests
    "deadlock_timeout": "100ms",
}

_CLEARING = """
DO $$
DECLARE
  each record;
BEGIN
  SET LOCAL session_replication_role = replica; -- the order of the tables does not matter
  FOR each IN SELECT * FROM pg_tables WHERE schemaname = 'cleared' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM cleared.%I', each.tablename);
  END LOOP;
  PERFORM setval(format('cleared.%I', sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'cleared';
END
$$
"""


class PostgresServer:
    """One server process with a directory of its own. `stop` removes both."""

    def __init__(self) -> None:
        self._binaries = binaries()
        self._user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else os.geteuid()
        self.port = quiet_port()
        self._schemas = itertools.count(1)
        self._directory = Path(tempfile.mkdtemp(prefix="manyhands-postgres-"))
        os.chown(self._directory, self._user, -1)
        password_file = self._directory / "password"
        password_file.write_text(PASSWORD)
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", "manyhands", "--pwfile", str(password_file),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        self.start()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def url(self, **parameters: str) -> str:
        """Return the URL of the server's database, for example with `search_path`."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://manyhands:{PASSWORD_IN_URLS}@127.0.0.1:{self.port}/postgres?{query}"

    async def new_schema(self) -> str:
        """Make an empty schema, and return its URL. A store uses it like a database."""
        name = f"schema_{next(self._schemas)}"
        await self.execute(f"CREATE SCHEMA {name}")
        return self.url(search_path=name)

    async def cleared_schema(self) -> str:
        """Empty the one schema that tests use in turn, and return its URL.

        Its tables stay, because making them takes 0.1 seconds of processor time.
        """
        await self.execute("CREATE SCHEMA IF NOT EXISTS cleared", _CLEARING)
        return self.url(search_path="cleared")

    async def execute(self, *statements: str, url: str | None = None) -> None:
        """Run a statement, as another program may do."""
        connection = await asyncpg.connect(url or self.url())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def speaking_tls(self, certificate: Path, key: Path) -> AsyncIterator[None]:
        """Let the server take TLS as well for a while."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            copy = self._data / name
            copy.touch(mode=0o600)
            copy.write_bytes(source.read_bytes())
            os.chown(copy, self._user, -1)
        await self._reload("ALTER SYSTEM SET ssl = on", ssl="on")
        try:
            yield
        finally:
            await self._reload("ALTER SYSTEM RESET ssl", ssl="off")

    async def _reload(self, statement: str, **expected: str) -> None:
        """Change a setting, and return when new sessions have it."""
        await self.execute(statement, "SELECT pg_reload_conf()")
        for name, value in expected.items():
            async with asyncio.timeout(PATIENCE):
                while await self.ask(f"SHOW {name}") != value:  # noqa: ASYNC110 - it tells nobody by itself
                    await asyncio.sleep(0.01)

    async def ask(self, question: str, url: str | None = None) -> object:
        """Return the first value that a query finds."""
        connection = await asyncpg.connect(url or self.url())
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    def start(self) -> None:
        """Start the server and return when it takes connections."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._directory)}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        self._process = subprocess.Popen(
            mortal(self._binaries / "postgres", "-D", self._data, *options),
            user=self._user, cwd=self._directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        ready = threading.Event()
        self._said: deque[bytes] = deque(maxlen=30)
        self._listener = threading.Thread(target=self._listen, args=(ready,), daemon=True)
        self._listener.start()
        ready.wait()
        if self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start: {b''.join(self._said).decode()}")

    def _listen(self, ready: threading.Event) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line)
            if b"ready to accept connections" in line:
                ready.set()
        self._process.wait()
        ready.set()

    def kill(self) -> None:
        """End all processes at once, as a power cut would. `start` then recovers."""
        self.pause()  # so that none is born or ends meanwhile
        ends = [os.pidfd_open(process) for process in self._processes()]
        for end in ends:
            signal.pidfd_send_signal(end, signal.SIGKILL)
        for end in ends:
            select.select([end], [], [])
            os.close(end)
        self._reap()

    def shut_down(self) -> None:
        """Stop the server in good order, and end all connections."""
        self._process.send_signal(signal.SIGINT)
        self._reap()

    def pause(self) -> None:
        """Freeze all processes: connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let all processes go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Signal all processes, the main one first, so that it starts no more."""
        self._process.send_signal(number)
        for process in self._processes()[1:]:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(process, number)

    def stop(self) -> None:
        """End the server for ever, and remove its directory."""
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._directory)

    def _processes(self) -> list[int]:
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def _reap(self) -> None:
        self._process.wait()
        self._listener.join()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            [self._binaries / program, *arguments],
            user=self._user, cwd=self._directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode:
            raise RuntimeError(f"{program} failed: {ran.stderr}")


def binaries() -> Path:
    """Return the directory of PostgreSQL's programs."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which("postgres")
    if found is None:
        raise RuntimeError(
            "These tests need PostgreSQL's server: `make test` installs it, or apt-get install postgresql."
        )
    return Path(found).parent
