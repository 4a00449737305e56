"""`make cluster`: the reference set-up in ./data/cluster, with everybody's lines in one window, until Ctrl-C."""

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
"""Seconds until a program that has ended by itself is started again."""


def hear(name: str, line: str) -> None:
    """Show what a program writes, with its name in its colour."""
    click.echo(click.style(f"{name:>8} │ ", fg=COLORS.get(name)) + line)


def say(sentence: str) -> None:
    """Show what we do ourselves."""
    click.echo(click.style(f"{'cluster':>8} │ {sentence}", bold=True))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", default=8000, show_default=True, help="The balancer's; the five after it are used as well.")
@click.option("--dir", "directory", default="data/cluster", show_default=True, help="Where everything is kept.")
def main(port: int, directory: str) -> None:
    """Run HAProxy, three nodes, Redis and PostgreSQL on this machine's loopback."""
    try:
        asyncio.run(run(Path(directory), Ports.from_first(port)))
    except CannotStart as error:
        say(str(error))
        sys.exit(1)


async def run(directory: Path, ports: Ports) -> None:
    """Start everything, keep it running, stop it at SIGINT or SIGTERM, in whatever state it is."""
    working = asyncio.ensure_future(_work(directory, ports))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        say("Everything has stopped.")


async def _work(directory: Path, ports: Ports) -> None:
    async with Cluster(directory, ports, hear, say) as cluster:
        say(f"Manyhands is at {cluster.url}; its nodes are at ports {', '.join(map(str, ports.nodes))}.")
        say("Kill any part and watch: it comes back. Ctrl-C stops everything.")
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
