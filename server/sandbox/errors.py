"""The sandbox's way to say that the bytes are to blame."""

from crdt.errors import Code, ProtocolError

WANT_OF_MEMORY = "It needs more memory than there is for it, or it is damaged."
"""Native code that gets no memory ends its process, as it does with what is damaged."""


class SandboxRejected(ProtocolError):
    """The worker could not work with the bytes: it refused them, ran out of memory or time, or died of them.

    `died`: it did not live to say so, so that any other process would have died as well.
    """

    def __init__(self, message: str, code: Code = Code.BAD_UPDATE, *, died: bool = False) -> None:
        super().__init__(code, message)
        self.died = died
