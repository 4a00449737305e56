"""What the parent and a worker say to each other, beside the connections that they pass."""

import pickle
from dataclasses import dataclass

from server.config import Config

PING, PONG = b"ping", b"pong"
"""Parent: are you there? Worker: I am."""

READY = b"ready"
"""Worker: I take people."""

LEAVING = b"leaving"
"""Worker: I am stopping; I serve whom I have, and who comes all the same."""

REFUSED = b"refused "
"""Worker: I cannot start, and why: a sentence for the operator follows."""

STOP = b"stop"
"""Parent: stop in good order."""

HURRY = b"hurry"
"""Parent: cut the stop short."""


@dataclass(frozen=True, slots=True)
class Task:
    """The parent's first word: which worker this is, on which port people arrive, and all settings."""

    number: int
    port: int
    config: Config

    def encode(self) -> bytes:
        """Settings hold secrets, so they go neither over the command line nor into the environment."""
        return pickle.dumps(self)

    @classmethod
    def decode(cls, message: bytes) -> "Task":
        """Read what one's own parent has written."""
        task = pickle.loads(message)
        assert isinstance(task, cls)
        return task
