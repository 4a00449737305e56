"""The command line of `manyhands`: its commands, their options, and their exit codes.

Each command imports its own part of the server when it begins, because importing everything takes
longer than most commands' work.
"""

import asyncio
import contextlib
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeVar

import click

from crdt.errors import Unavailable
from server.cli import CannotDo
from server.cli.settings import default_of, markdown, values
from server.config import Config, Declared, all_declared
from server.config.loading import GONE, SettingsError, load, service_links, version

if TYPE_CHECKING:
    from server.cli.doctor import Advice, Doctor
    from server.store.base import Store

T = TypeVar("T")

_IDS_BEGIN_WITH_ANYTHING = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Settings of commands that take ids, because one id in 64 begins with a hyphen like an option."""


IMPORTED_OBJECTS = 300_000
"""About as many objects as a server's modules make, which is many more than other commands make."""


class _Commands(click.Group):
    """All commands. A command that cannot be done ends with a sentence for the operator."""

    def invoke(self, ctx: click.Context) -> object:
        # What is imported stays. The collector would look at it again and again, which takes a
        # third of a server's start.
        gc.set_threshold(IMPORTED_OBJECTS)
        try:
            return super().invoke(ctx)
        except CannotDo as error:
            _give_up(str(error))
        except Unavailable as error:
            _give_up(error.message)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Manyhands: documents that many people write in at once."""


def _option(each: Declared) -> click.Option:
    """Make a setting's option. Its text is checked together with the environment's."""
    return click.Option(
        [each.option],
        metavar=each.setting.unit.upper(),
        help=f"{each.setting.form.wants} [{each.variable}; default: {default_of(each) or 'none'}]",
    )


def _former_option(name: str) -> click.Option:
    """Make a former setting's hidden option.

    Without the option, click would offer a similar one, and not say what to do now.
    """
    return click.Option(["--" + name.lower().replace("_", "-")], hidden=True)


def _load(options: dict[str, str | None]) -> Config:
    try:
        return load(os.environ, options)
    except SettingsError as error:
        _give_up(*error.problems)


WRONG, CANNOT_START = 2, 1
"""Exit codes: the command is wrong, and must be changed; or the server may well start later."""


def _give_up(*sentences: str, code: int = WRONG) -> NoReturn:
    for sentence in sentences:
        click.echo(f"manyhands: {sentence}", err=True)
    sys.exit(code)


def _serve(**options: str | None) -> None:
    config = _load(options)
    from server import observe
    from server.cli.address import CannotStart, bind

    observe.configure(config.logs.log_level, config.logs.log_format)
    if links := service_links(os.environ):
        observe.log.info("service_links_left_out", variables=links)
    try:
        # Before the rest is imported, which is most of a start. Clients wait, and are not refused.
        with contextlib.closing(bind(config.listen.host, config.listen.port)) as listener:
            from server.cli.serve import run

            run(config, listener, click.echo)
    except CannotStart as error:
        _give_up(str(error), code=CANNOT_START)


main.add_command(
    click.Command(
        "serve",
        callback=_serve,
        params=[*map(_option, all_declared()), *map(_former_option, GONE)],
        help="Run the server. Each option is a setting, and overrides its environment variable.",
    )
)


@main.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of server/SETTINGS.md instead.")
def settings(*, as_markdown: bool) -> None:
    """Print every setting with the value that it has here."""
    click.echo(markdown() if as_markdown else values(_load({})) + "\n", nl=False)


@main.command()
@click.option("--table", "form", flag_value="table", help="Print the tables of server/PROTOCOL.md instead.")
@click.option("--types", "form", flag_value="types", help="Print the JSON's types for TypeScript instead.")
def openapi(*, form: str | None) -> None:
    """Print a description of the REST API: OpenAPI 3.1."""
    from server.cli.openapi import described

    click.echo(described(form), nl=False)


@main.group()
def token() -> None:
    """Tokens: for people where MANYHANDS_AUTH is jwt, and service tokens for programs."""


@token.command("mint")
@click.option("--user", required=True, help="The person's id (`sub`).")
@click.option("--name", help="The person's name, as others see it.")
@click.option("--email", help="The person's address, which you have verified.")
@click.option(
    "--document", "documents", multiple=True, metavar="ID=ROLE", help="A role in a document; * for every document."
)
@click.option("--minutes", type=click.FloatRange(0.1, 24 * 60), default=60, show_default=True)
def mint_token(user: str, name: str | None, email: str | None, documents: tuple[str, ...], minutes: float) -> None:
    """Print a token signed with MANYHANDS_JWT_SECRET."""
    from server.cli.token import document_roles, mint

    claims = {"sub": user, "name": name, "email": email, "documents": document_roles(documents) or None}
    given = {key: value for key, value in claims.items() if value is not None}
    click.echo(mint(_load({}).people, given, minutes, time.time()))


@token.command("create")
@click.option("--name", required=True, help="The program's name, as people see it.")
@click.option(
    "--document", "documents", multiple=True, metavar="ID=ROLE", help="A role in a document; * for every document."
)
@click.option("--for", "agent_for", default="", metavar="USER_ID", help="The person that the program writes for.")
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), help="Days until the token ends; by default never."
)
def create_token(*, name: str, documents: tuple[str, ...], agent_for: str, days: float | None) -> None:
    """Make a service token for a program, and print it once. With SQLite, stop the server first."""
    from server.cli.service_tokens import create
    from server.cli.token import document_roles

    roles = document_roles(documents)
    click.echo(_ask(lambda store: create(store, name, agent_for, roles, datetime.now(UTC), days)))


@token.command("list")
def list_tokens() -> None:
    """Print the service tokens: id, name, roles, times. With SQLite, stop the server first."""
    from server.cli.service_tokens import lines

    click.echo("\n".join(_ask(lines)) or "There are no service tokens.")


@token.command("revoke")
@click.argument("token_id")
def revoke_token(*, token_id: str) -> None:
    """Revoke a service token, by its id. With SQLite, stop the server first."""
    if not _ask(lambda store: store.service_tokens.revoke(token_id)):
        _give_up(f"There is no service token {token_id}.")
    click.echo(f"{token_id} is revoked.")


@token.command("inspect")
def inspect_token() -> None:
    """Read a token from standard input, and say whether the server would take it, or why not."""
    from server.cli.token import inspect

    text = sys.stdin.read(64 * 2**10).strip()
    if not text or not text.isascii():
        _give_up("Give the token on standard input.")
    good, said = asyncio.run(inspect(_load({}).people, text))
    click.echo(said)
    sys.exit(0 if good else 1)


def _ask(ask: "Callable[[Store], Awaitable[T]]") -> "T":
    """Ask the database that the settings name."""
    from server.store.sql import SqlStore, url_of

    places = _load({}).places

    async def answer() -> "T":
        async with SqlStore(url_of(places.database_url, places.data_dir)) as store:
            return await ask(store)

    return asyncio.run(answer())


@main.command("adopt", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@click.option("--all", "everything", is_flag=True, help="All documents that nobody owns, instead of one.")
@click.option("--take", is_flag=True, help="Replace the document's owner, who becomes an editor.")
@click.argument("arguments", nargs=-1, metavar="[DOCUMENT_ID] USER_ID")
def adopt_documents(*, everything: bool, take: bool, arguments: tuple[str, ...]) -> None:
    """Make somebody the owner of documents that nobody owns. With SQLite, stop the server first."""
    if len(arguments) != (1 if everything else 2) or (everything and take):
        _give_up("Name the document and the person: DOCUMENT_ID USER_ID, or --all USER_ID.")
    from server.cli.adopt import adopt

    document_id = None if everything else arguments[0]
    adopted = _ask(lambda store: adopt(store, document_id, arguments[-1], take=take))
    click.echo(f"{arguments[-1]} owns {adopted} more." if everything else f"{arguments[-1]} owns {document_id}.")


@main.command("import")
@click.option(
    "--from",
    "layout",
    type=click.Choice(["hocuspocus-sqlite", "pycrdt-sqlite", "files"]),
    help="The layout of the store; by default found out.",
)
@click.option("--owner", metavar="USER_ID", help="The person who owns the new documents; by default nobody.")
@click.option("--drop-prefix", default="", metavar="TEXT", help="What to leave out at the beginning of names.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--to", "url", metavar="URL", help="A running server, instead of the database of the settings.")
@click.option("--token-file", type=click.File(), help="A file with the token to show there; - is standard input.")
@click.argument("source", type=click.Path(path_type=Path))
def import_documents(  # noqa: PLR0913 - one parameter for each option
    *,
    layout: str | None,
    owner: str | None,
    drop_prefix: str,
    dry_run: bool,
    url: str | None,
    token_file: TextIO | None,
    source: Path,
) -> None:
    """Bring in the documents of another Yjs server, from its store or from files.

    An import can be repeated: it writes only what is missing. With SQLite, stop the server first,
    or name it with --to. Exit code 1: something was refused or left out.
    """
    from server import observe
    from server.cli.import_places import importer_here, importer_there
    from server.cli.importing import told
    from server.cli.neighbours.layouts import found_in

    if url is None and token_file is not None:
        _give_up("A token is for a running server: name it with --to.")
    if url is not None and (owner is not None or dry_run):
        _give_up("A running server makes the token's person the owner, and has no dry run: leave these options out.")
    config = _load({})
    observe.configure("error", config.logs.log_format)
    documents = found_in(source, layout, drop_prefix)
    token = token_file.read().strip() if token_file else None
    place = importer_here(config, owner, dry_run=dry_run) if url is None else importer_there(config, url, token)

    async def run() -> bool:
        async with place as importer:
            return await told(importer.take_all(documents), click.echo, dry_run=dry_run)

    sys.exit(0 if asyncio.run(run()) else 1)


_most = click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="Lines, the newest ones."
)


@main.command("audit", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@_most
@click.argument("document_id")
def print_record(*, most: int, document_id: str) -> None:
    """Print who changed access to a document, trashed or deleted it, the last first.

    With SQLite, stop the server first.
    """
    from server.cli.history import record_of

    lines = _ask(lambda store: record_of(store, document_id, most))
    if not lines:
        _give_up(f"There is no record of a document {document_id}.")
    click.echo("\n".join(lines))


@main.command("history", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@_most
@click.argument("document_id")
def print_history(*, most: int, document_id: str) -> None:
    """Print when a document was written in and by whom, the last first.

    With SQLite, stop the server first.
    """
    from server.cli.history import history_of

    lines = _ask(lambda store: history_of(store, document_id, most))
    if lines is None:
        _give_up(f"There is no document {document_id}.")
    click.echo("\n".join(lines))


@main.group("doctor", invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also updates that have been put back or dropped.")
@click.pass_context
def doctor_group(context: click.Context, *, everything: bool) -> None:
    """Look after updates that the document engine does not take.

    With SQLite, stop the server first. Without a command, list the updates that are set aside. A
    PLACE is the number of a row of the log, a dot, and the update's position in the row.
    """
    if context.invoked_subcommand is None:
        _see(lambda doctor: doctor.overview(everything=everything))


@doctor_group.command("show", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@click.option("--hex", "as_hex", is_flag=True, help="Print the bytes instead.")
@click.argument("document_id")
@click.argument("place")
def show_set_aside(*, as_hex: bool, document_id: str, place: str) -> None:
    """Print the contents of an update that is set aside."""
    _see(lambda doctor: doctor.show(document_id, place, as_hex=as_hex))


@doctor_group.command("put-back", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@click.argument("document_id")
@click.argument("place")
def put_back(*, document_id: str, place: str) -> None:
    """Write an update's contents again, if the document can be opened with them now."""
    _see(lambda doctor: doctor.put_back(document_id, place))


@doctor_group.command("drop", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@click.argument("document_id")
@click.argument("place")
def drop(*, document_id: str, place: str) -> None:
    """Give an update up for ever: pages no longer show that it is missing."""
    _see(lambda doctor: doctor.drop(document_id, place))


@doctor_group.command("check", context_settings=_IDS_BEGIN_WITH_ANYTHING)
@click.argument("document_id", required=False)
def check_documents(*, document_id: str | None) -> None:
    """Open a document, or all, in the sandbox, and set aside updates that do not apply.

    Exit code 1: a document cannot be opened.
    """
    _see(lambda doctor: doctor.check(document_id))


def _see(ask: "Callable[[Doctor], Awaitable[Advice]]") -> None:
    """Print the advice of one of the doctor's commands, and exit with 0 if all is well, else 1."""
    from server.cli.doctor import doctor

    config = _load({})

    async def answer() -> "Advice":
        async with doctor(config) as somebody:
            return await ask(somebody)

    advice = asyncio.run(answer())
    click.echo("\n".join(advice.lines))
    sys.exit(0 if advice.well else 1)


@main.command("version")
def print_version() -> None:
    """Print the version."""
    click.echo(version())


if __name__ == "__main__":
    main(prog_name="manyhands")
