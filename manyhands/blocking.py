"""The same document for scripts and notebooks: every call waits for its end.

A thread with an event loop of its own keeps the connection. A program that ends without closing
its documents waits until everything is saved, as at the end of a `with`.
"""

import asyncio
import atexit
from collections.abc import Callable, Coroutine, Mapping, Sequence
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from manyhands.about import Person
from manyhands.document import Document, Status, connect

T = TypeVar("T")


class BlockingDocument:
    """One open document. Made by `open`. Use it in `with`, or call `close` at the end."""

    def __init__(self, url: str, document: str | None, options: Mapping[str, Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="manyhands", daemon=True)
        self._thread.start()
        try:
            self._document = self._run(_opened(url, document, options))
        except BaseException:
            self._stop()
            raise
        atexit.register(self.close)

    @property
    def document_id(self) -> str:
        return self._document.document_id

    @property
    def status(self) -> Status:
        return self._document.status

    @property
    def unsaved(self) -> int:
        """The number of changes that the server has not confirmed as durable."""
        return self.change(lambda document: document.unsaved)

    @property
    def unsaved_changes(self) -> tuple[bytes, ...]:
        """What the server has not confirmed, each change as a Yjs update."""
        return self.change(lambda document: document.unsaved_changes)

    @property
    def role(self) -> str | None:
        return self._document.role

    @property
    def title(self) -> str:
        return self._document.title

    @property
    def people(self) -> Sequence[Person]:
        """Everybody else who is here and says something of themselves."""
        return self.change(lambda document: document.people)

    def append(self, text: str) -> None:
        """Append paragraphs to the rich text, one for each line. Raises Refused."""
        self._run(self._document.append(text))

    def append_markdown(self, text: str) -> None:
        """Append what Markdown says. Raises Refused or Unreachable."""
        self._run(self._document.append_markdown(text))

    def change(self, work: Callable[[Document], T]) -> T:
        """Call `work` with the document, in the thread that owns it. All changes are one.

        No other thread may touch the document.
        """

        async def changed() -> T:
            with self._document.transaction():
                return work(self._document)

        return self._run(changed())

    def saved(self, timeout: float | None = None) -> None:
        """Wait until the server has every change on disk. Raises Refused or Unreachable."""
        self._run(self._document.saved(timeout))

    def markdown(self) -> str:
        """Save, and return what the document says as Markdown."""
        return self._run(self._document.markdown())

    def plain_text(self) -> str:
        """Save, and return what the document says as plain text."""
        return self._run(self._document.plain_text())

    def show(self, state: Mapping[str, Any] | None) -> None:
        """Tell the others something of this program. None takes it back.

        Raises TypeError or ValueError for what is no JSON.
        """
        self.change(lambda document: document.show(state))

    def broadcast(self, payload: str) -> None:
        """Tell all others who have the document open now a text that nobody keeps.

        Raises Refused or Unreachable.
        """
        self._run(self._document.broadcast(payload))

    def close(self) -> None:
        """Wait until everything is saved, and leave. Raises Refused or Unreachable."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop.is_closed():
            return
        atexit.unregister(self.close)
        try:
            self._run(self._document.__aexit__(kind, error, traceback))
        finally:
            self._stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the thread. If the wait is interrupted, the coroutine is cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _opened(url: str, document: str | None, options: Mapping[str, Any]) -> Document:
    return await connect(url, document, **options).__aenter__()


def open(  # noqa: A001 - read as `manyhands.open`
    url: str, document: str | None = None, **options: Any
) -> BlockingDocument:
    """Open a document, with the arguments of `connect`. Raises Refused or Unreachable."""
    return BlockingDocument(url, document, options)
