"""How what goes wrong with an event is put into an answer."""

from typing import Any

from crdt.errors import InvariantError, ManyhandsError
from crdt.ids import DocumentId
from server.observe import log


def refusal_of(error: Exception) -> ManyhandsError:
    """What to answer; a bug of ours is written down."""
    if isinstance(error, ManyhandsError):
        return error
    log.error("event_failed", kind="event", exc_info=error)
    return InvariantError("The server made a mistake. It has been logged.")


def document_of_update(event: list[Any]) -> DocumentId:
    """Which document an event that may be malformed was to change; the empty id: none."""
    name, *arguments = event
    is_update = name == "update" and len(arguments) > 0 and isinstance(arguments[0], str)
    return DocumentId(arguments[0] if is_update else "")
