"""A real nginx with deploy/nginx.conf before a test's nodes, told their addresses as an operator would tell it."""

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from deploy.loopback.program import Command, Hear, Program
from deploy.loopback.waiting import listens, until_up

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"
PROGRAM = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

SPOOLS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""What nginx wants a directory for each of, whether it is used or not; its own are root's."""


def configured(directory: Path, port: int, nodes: Sequence[int]) -> str:
    """The file as it is, but for the lines with an arrow and where nginx may write."""
    addresses = iter([*nodes, port])
    text, arrows = re.subn(
        r"127\.0\.0\.1:\d+(?=.*# <-)", lambda _: f"127.0.0.1:{next(addresses)}", CONFIG.read_text(encoding="utf-8")
    )
    assert arrows == len(nodes) + 1
    spools = "".join(f"\n    {name}_temp_path {directory}/{name};" for name in SPOOLS)
    text = re.sub(r"^pid .*;$", f"pid {directory}/nginx.pid;", text, flags=re.MULTILINE)
    return text.replace("server_tokens off;", f"server_tokens off;{spools}")


@asynccontextmanager
async def nginx(nodes: Sequence[int], port: int, hear: Hear) -> AsyncIterator[Program]:
    """Run nginx on a port before the nodes at theirs for a while."""
    assert PROGRAM is not None, "nginx is missing: `make test` installs it, or apt-get install nginx"
    with tempfile.TemporaryDirectory(prefix="manyhands-nginx-") as name:
        directory = Path(name)
        os.chmod(directory, 0o711)  # noqa: PTH101 - root's nginx has workers that are nobody
        (directory / "nginx.conf").write_text(configured(directory, port, nodes), encoding="utf-8")
        argv = [PROGRAM, "-e", "stderr", "-g", "daemon off;", "-c", str(directory / "nginx.conf")]
        program = Program("nginx", Command(argv, directory), hear)
        await program.start()
        try:
            await until_up(program, partial(listens, port))
            yield program
        finally:
            await program.stop()
