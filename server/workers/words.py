"""What the parent and a worker say to each other, beside the connections that they pass."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from crdt.token_bucket import Rate
from server.config import Config, parts

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
        config = {name: _plain(getattr(self.config, name)) for name, _ in parts()}
        return json.dumps([self.number, self.port, config], default=_marked).encode()

    @classmethod
    def decode(cls, message: bytes) -> "Task":
        """Read what one's own parent has written: the settings have been checked there."""
        number, port, config = json.loads(message, object_hook=_unmarked)
        read = {name: part(**{key: _frozen(value) for key, value in config[name].items()}) for name, part in parts()}
        return cls(number, port, Config(**read))


def _plain(part: Any) -> dict[str, Any]:
    """One part's settings by name; `asdict` would take rates apart."""
    return {each.name: getattr(part, each.name) for each in fields(part)}


def _marked(value: object) -> dict[str, Any]:
    """What JSON has no form for."""
    match value:
        case Path():
            return {"a path": str(value)}
        case Rate(per_second, burst):
            return {"a rate": [per_second, burst]}
        case _:
            raise TypeError(f"A setting of the type {type(value).__name__} cannot be told to a worker.")


def _unmarked(found: dict[str, Any]) -> Any:
    match found:
        case {"a path": path}:
            return Path(path)
        case {"a rate": [per_second, burst]}:
            return Rate(per_second, burst)
        case _:
            return found


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
