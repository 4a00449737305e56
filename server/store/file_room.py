"""How many bytes of files a document may have: one sentence for all stores."""

from crdt.errors import Code, ProtocolError


def check_room(size: int, most_bytes: int | None) -> None:
    """Refuse files that would be `size` bytes together, if that is too much; raises ProtocolError(document_full)."""
    if most_bytes is not None and size > most_bytes:
        message = f"This document's pictures may have {most_bytes} bytes together. Make another document for more."
        raise ProtocolError(Code.DOCUMENT_FULL, message)
