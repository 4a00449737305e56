"""Errors of the sandbox: the bytes are to blame."""

from crdt.errors import Code, ProtocolError

WANT_OF_MEMORY = "The content needs more memory than the sandbox has, or is damaged."
"""Both reasons in one, because native code ends its process in both cases."""


class SandboxRejected(ProtocolError):
    """The worker refused the bytes, or ran out of memory or time with them, or died.

    `died` means that the worker's process ended. Any other process would have ended as well.
    """

    def __init__(self, message: str, code: Code = Code.BAD_UPDATE, *, died: bool = False) -> None:
        super().__init__(code, message)
        self.died = died
