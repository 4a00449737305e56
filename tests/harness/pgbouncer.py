"""A real PgBouncer in front of a test's PostgreSQL, which can be stopped and started again."""

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port, until_open
from tests.harness.processes import mortal

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")

_CONFIG = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {directory}/users.txt
pool_mode = {pool_mode}
server_login_retry = 1
{further}
"""


class PgBouncer:
    """One process at a time, always on the same port.

    `users` are names and passwords. `further` are lines of the configuration.
    """

    def __init__(self, directory: Path, server: int, pool_mode: str, users: dict[str, str], *further: str) -> None:
        self.port = quiet_port()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        (directory / "users.txt").write_text("".join(f'"{name}" "{word}"\n' for name, word in users.items()))
        (directory / "pgbouncer.ini").write_text(
            _CONFIG.format(
                server=server, port=self.port, directory=directory, pool_mode=pool_mode, further="\n".join(further)
            )
        )

    async def start(self) -> None:
        """Start the process, and return when it takes connections."""
        assert PROGRAM is not None, "pgbouncer is missing: `make test` installs it, or apt-get install pgbouncer"
        self._process = await asyncio.create_subprocess_exec(
            *mortal(PROGRAM, self._directory / "pgbouncer.ini"),
            user=pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None,  # it refuses to run as root
            cwd=self._directory,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until_open(self.port, PATIENCE)

    async def stop(self) -> None:
        """Stop at once, and cut all connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def pgbouncer(server: int, pool_mode: str, users: dict[str, str], *further: str) -> AsyncIterator[PgBouncer]:
    """Run a PgBouncer in front of the PostgreSQL at a port."""
    with tempfile.TemporaryDirectory(prefix="manyhands-pgbouncer-") as directory:
        os.chmod(directory, 0o755)  # noqa: PTH101 - it runs as another user
        bouncer = PgBouncer(Path(directory), server, pool_mode, users, *further)
        await bouncer.start()
        try:
            yield bouncer
        finally:
            await bouncer.stop()
