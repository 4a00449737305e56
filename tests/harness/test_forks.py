"""Forked servers: each is a child of the process that asked for it, and dies with it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.bell import PATIENCE
from tests.harness.forks import FORKS, HOUSE
from tests.server.server_process import server_process

pytestmark = pytest.mark.slow

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.harness.forks import FORKS
from tests.harness.processes import adopt_orphans
from tests.server.server_process import server_process

async def start():
    async with server_process(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

adopt_orphans()
with FORKS.opened():
    asyncio.run(start())
"""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_server_is_a_child_of_whoever_asked_for_it(tmp_path: Path) -> None:
    async with server_process(tmp_path / "one") as one, server_process(tmp_path / "two") as two:
        assert parent_of(one.pid) == parent_of(two.pid) == os.getpid()
        one.signal(signal.SIGTERM)
        assert await one.end() == 0
        two.signal(signal.SIGKILL)
        assert await two.end() == -signal.SIGKILL


async def test_it_has_its_own_arguments_environment_and_folder(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "MANYHANDS_DATA_DIR": "a file"}
    (tmp_path / "a file").touch()
    refused = await FORKS.start(tmp_path, ("serve", "--port", "0"), environ)
    out, err = await refused.communicate()
    assert (refused.returncode, out) == (1, b"")
    assert b"a file" in err
    assert not (HOUSE / "a file").exists()


def test_none_outlives_whoever_asked_for_it(tmp_path: Path) -> None:
    asking = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=HOUSE, stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    pid = int(asking.stdout.readline())
    with asking.stdout:
        assert asking.wait() == -signal.SIGKILL
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([end], [], [], PATIENCE)
    os.close(end)
    assert ended
