"""`make cluster`: runs the reference set-up in ./data/cluster until Ctrl-C.

The lines of all programs appear in one window.
"""

import asyncio
import signal
import sys
from pathlib import Path

import click

from deploy.loopback.cluster import Cluster, Ports
from deploy.loopback.program import CannotStart, Program

COLORS = {
    "redis": "red",
    "postgres": "blue",
    "node-1": "green",
    "node-2": "yellow",
    "node-3": "magenta",
    "haproxy": "cyan",
}
PAUSE = 1.0
"""Seconds until a program that ended by itself is started again."""


def hear(name: str, line: str) -> None:
    """Show a line that a program writes, after the program's name in its colour."""
    click.echo(click.style(f"{name:>8} │ ", fg=COLORS.get(name)) + line)


def say(sentence: str) -> None:
    """Show a line of our own."""
    click.echo(click.style(f"{'cluster':>8} │ {sentence}", bold=True))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--port", default=8000, show_default=True, help="The balancer's port. The five ports after it are used as well."
)
@click.option("--dir", "directory", default="data/cluster", show_default=True, help="Where everything is kept.")
def main(port: int, directory: str) -> None:
    """Run HAProxy, three nodes, Redis and PostgreSQL on this machine's loopback."""
    try:
        asyncio.run(run(Path(directory), Ports.from_first(port)))
    except CannotStart as error:
        say(str(error))
        sys.exit(1)


async def run(directory: Path, ports: Ports) -> None:
    """Start all programs, and keep them running. SIGINT and SIGTERM stop them at any stage."""
    working = asyncio.ensure_future(_work(directory, ports))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        say("Everything has stopped.")


async def _work(directory: Path, ports: Ports) -> None:
    async with Cluster(directory, ports, hear, say) as cluster:
        say(f"Manyhands is at {cluster.url}. Its nodes are at ports {', '.join(map(str, ports.nodes))}.")
        say("Kill any program, and it is started again. Ctrl-C stops everything.")
        try:
            async with asyncio.TaskGroup() as tasks:
                for program in cluster.programs:
                    tasks.create_task(_keep(program))
        finally:
            say("Stopping")


async def _keep(program: Program) -> None:
    while True:
        code = await program.ended()
        say(f"{program.name} has ended ({code}); it is started again.")
        await asyncio.sleep(PAUSE)
        await program.start()


if __name__ == "__main__":
    main(prog_name="make cluster")
