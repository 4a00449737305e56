"""Manyhands for Python programs, and the way to the command line of the server.

    async with manyhands.connect("https://docs.example.org", document_id) as doc:
        await doc.append("Hello")
        await doc.saved()

docs/python.md in the repository describes the client. It is loaded when one of its names is used,
because the command line does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manyhands.about import Person
    from manyhands.blocking import BlockingDocument, open  # noqa: A004 - read as `manyhands.open`
    from manyhands.document import Document, connect
    from manyhands.errors import (
        ClientIdTaken,
        Deleted,
        EpochChanged,
        Forbidden,
        ManyhandsError,
        NotFound,
        OtherFormat,
        Refused,
        Unauthenticated,
        Unreachable,
    )

__all__ = [
    "BlockingDocument",
    "ClientIdTaken",
    "Deleted",
    "Document",
    "EpochChanged",
    "Forbidden",
    "ManyhandsError",
    "NotFound",
    "OtherFormat",
    "Person",
    "Refused",
    "Unauthenticated",
    "Unreachable",
    "connect",
    "open",
]

_HOMES = {
    **dict.fromkeys(__all__, "errors"),
    **dict.fromkeys(("BlockingDocument", "open"), "blocking"),
    **dict.fromkeys(("Document", "connect"), "document"),
    "Person": "about",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"manyhands.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
