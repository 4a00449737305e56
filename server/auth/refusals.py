"""The ways to say that somebody is not who they say: one code, and sentences that name the reason but tell nothing of the token."""

from crdt.errors import Code, ProtocolError


def unauthenticated(reason: str) -> ProtocolError:
    """A refusal; the reason is a whole sentence."""
    return ProtocolError(Code.UNAUTHENTICATED, reason)


def somebody_else() -> ProtocolError:
    """What a connection is told when it brings another person's token."""
    return ProtocolError(
        Code.FORBIDDEN, "That is somebody else's token: this connection stays its person's. Connect anew."
    )
