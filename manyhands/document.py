"""A shared document for programs: a pycrdt `Doc` that stays in step with a Manyhands server.

What a program changes in the document is kept until the server has it on disk. `saved` waits for
that. Changes made without a connection leave when it is back.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pycrdt import Doc, Subscription, TransactionEvent

from manyhands.about import Person
from manyhands.address import Address, Options, Token
from manyhands.errors import Forbidden, ManyhandsError, OtherFormat, Refused, Unreachable
from manyhands.paragraphs import FORMAT, append_paragraphs
from manyhands.session import Session

Status = Literal["connecting", "synced", "offline", "closed"]


class Document(Doc[Any]):
    """One open document. Made by `connect`; use it as `async with connect(…) as doc`."""

    def __init__(self, address: Address, options: Options) -> None:
        super().__init__()
        self._address = address
        self._options = options
        self._session: Session | None = None
        self._watch: Subscription | None = None

    @property
    def document_id(self) -> str:
        return self._address.document_id

    @property
    def status(self) -> Status:
        """Where the document stands. `offline`: connecting has failed, and is tried again."""
        if self._session is None or self._session.closed is not None:
            return "closed"
        if self._session.replica.joined:
            return "synced"
        return "connecting" if self._session.tries <= 1 else "offline"

    @property
    def unsaved(self) -> int:
        """The number of changes that the server has not confirmed as durable."""
        return self._own.replica.unsaved

    @property
    def role(self) -> str | None:
        """What this program may do: owner, editor, commenter or viewer."""
        return self._own.about.role

    @property
    def title(self) -> str:
        return self._own.about.title

    @property
    def unsaved_changes(self) -> tuple[bytes, ...]:
        """What the server has not confirmed, each change as a Yjs update, also after the end.

        What a refusal leaves is here: a program may keep the updates, or show what they say.
        """
        return self._own.replica.unsaved_changes

    @property
    def durability(self) -> str:
        """`ok`, or `waiting` while the server's store takes nothing."""
        return self._own.about.durability

    @property
    def refusal(self) -> Refused | None:
        """Why the server does not take this program's changes. They stay in the document."""
        return self._own.refusal

    @property
    def closed(self) -> ManyhandsError | None:
        """Why the session is over for good. The document stays usable."""
        return self._own.closed

    @property
    def people(self) -> Sequence[Person]:
        """Everybody else who is here and says something of themselves."""
        return list(self._own.about.people.values())

    async def saved(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as `connect` has it
        """Wait until the server has every change on disk.

        Raises Refused if it never will, or Unreachable after `timeout` seconds. The changes are
        kept then, and are sent when they can be.
        """
        session = self._own
        try:
            async with asyncio.timeout(timeout):
                await session.until(lambda: self.unsaved == 0 or session.verdict is not None)
        except TimeoutError:
            raise Unreachable(f"{self.unsaved} changes are not saved yet. {session.trouble}") from None
        if self.unsaved > 0 and session.verdict is not None:
            raise session.verdict

    async def append(self, text: str) -> None:
        """Append paragraphs to the rich text, one for each line.

        Raises Refused, before anything is changed, if this program may not write.
        """
        self._require_writing()
        append_paragraphs(self, text)
        await asyncio.sleep(0)  # a loop of appends must let the connection live

    async def append_markdown(self, text: str) -> None:
        """Append headings, lists, tables and all that Markdown has, and wait until they are here.

        The server reads the Markdown, so this needs a connection. Raises Refused or Unreachable.
        """
        self._require_writing()
        await self.saved()
        session = self._own
        row = await session.caller.append(self.document_id, text)
        await session.until(lambda: (session.replica.applied or 0) >= row or session.closed is not None)

    async def markdown(self) -> str:
        """Save, and return what the document says as Markdown."""
        return await self._content("markdown")

    async def plain_text(self) -> str:
        """Save, and return what the document says as plain text."""
        return await self._content("text")

    def show(self, state: Mapping[str, Any] | None) -> None:
        """Tell the others something of this program. None takes it back.

        Raises TypeError or ValueError for what is no JSON.
        """
        self._own.show(state)

    async def broadcast(self, payload: str) -> None:
        """Tell all others who have the document open now a text that nobody keeps.

        Raises Refused, or Unreachable if there is no connection.
        """
        await self._own.broadcast(payload)

    def on_broadcast(self, listener: Callable[[str, Person], None]) -> Callable[[], None]:
        """Call `listener` with each text that is broadcast, and who says it.

        The person's `state` is empty. Returns the way to stop.
        """
        self._own.broadcast_listeners.append(listener)
        return lambda: self._own.broadcast_listeners.remove(listener)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change of people, role or saving. Returns the way to stop."""
        self._own.listeners.append(listener)
        return lambda: self._own.listeners.remove(listener)

    def reconnect_now(self) -> None:
        """Connect now instead of after the pause that is under way."""
        self._own.reconnect_now()

    async def __aenter__(self) -> Self:
        """Connect, and wait until the content is here. Raises Refused or Unreachable."""
        if self._session is not None:
            raise RuntimeError("A document is opened once: call `connect` again.")
        session = self._session = Session(self, self._address, self._options)
        self._watch = self.observe(self._on_change)
        session.open()
        try:
            async with asyncio.timeout(self._options.timeout):
                await session.until(lambda: session.replica.joined or session.closed is not None)
            if session.closed is not None:
                raise session.closed
        except TimeoutError:
            await self._leave()
            raise Unreachable(session.trouble) from None
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait until everything is saved, unless an error ends the block, and leave.

        Raises what `saved` raises, with the timeout of `connect`.
        """
        try:
            if kind is None:
                await self.saved(self._options.timeout)
        finally:
            await self._leave()

    @property
    def _own(self) -> Session:
        if self._session is None:
            raise RuntimeError("Open the document first: `async with connect(…) as doc`.")
        return self._session

    async def _leave(self) -> None:
        """End the session. The document stays, as one that nobody shares."""
        if self._watch is not None:
            self.unobserve(self._watch)
            self._watch = None
        await self._own.close()

    def _on_change(self, event: TransactionEvent) -> None:
        self._own.changed(event.update)

    def _require_writing(self) -> None:
        session, known = self._own, self._options.format
        if session.verdict is not None:
            raise session.verdict
        if not session.about.may_write:
            raise Forbidden("forbidden", "You may read this document, and not write.")
        needed = session.about.required_format
        if needed is not None and (needed["name"] != known["name"] or needed["version"] > known["version"]):
            raise OtherFormat(
                "other_format",
                f"The document's format is {needed['name']} {needed['version']}. "
                f"This program knows {known['name']} {known['version']}.",
            )

    async def _content(self, form: str) -> str:
        await self.saved()
        return await self._own.caller.content(self.document_id, form)


def connect(  # noqa: PLR0913 - each option has a name, a default, and a line of its own in a call
    url: str,
    document: str | None = None,
    *,
    token: Token | None = None,
    cookie: str | None = None,
    name: str | None = None,
    color: str | None = None,
    link: str | None = None,
    outbox: str | PathLike[str] | None = None,
    format: Mapping[str, Any] = FORMAT,  # noqa: A002 - the protocol's word
    timeout: float = 30.0,
) -> Document:
    """Return a document to be opened with `async with`.

    Args:
        url: The server's address, or that of the document's page.
        document: The document's id, unless the address names it.
        token: A token that says who this program is, or a function that returns a fresh one.
        cookie: A session's cookie as the header `Cookie` has it, where people sign in.
        name: How a guest wants to be called.
        color: A guest's colour, `#rrggbb`.
        link: The secret of a link, unless the address has it.
        outbox: A file for changes that are not saved yet. They are sent by the next program that
            opens the document with this file. Without a file they end with the program.
        format: What this program knows of the rich text. Documents of another format are read-only.
        timeout: Seconds for opening, and for saving the rest at the end.
    """
    place = Path(outbox) if outbox is not None else None
    options = Options(token, cookie, name, color, place, format, timeout)
    return Document(Address.of(url, document, link), options)
