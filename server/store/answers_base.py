"""Answers port: what was answered to requests that programs may repeat (`Idempotency-Key`).

A request is begun before anything is done, and its answer is kept when everything is done. In
between the request may promise: say by what others can see that it was carried out. So a repetition
after a crash does nothing twice, whichever node it comes to.
"""

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

KEPT = timedelta(days=1)
"""Time for which an answer is kept."""

MOST_OF_ONE = 1000
"""Most requests of one person that are kept. The oldest are forgotten."""


class Begun(Struct, frozen=True):
    """A request that was begun before.

    Attributes:
        request: a hash of the request, to tell a repetition from another request.
        begun_at: when it was begun, or begun anew.
        proof: what shows that the request was carried out; empty if it has not promised.
        answer: the answer once the request is done; what was promised before; empty before that.
        is_done: whether the request is done.
    """

    request: bytes
    begun_at: datetime
    proof: str = ""
    answer: bytes = b""
    is_done: bool = False


class Answers(Protocol):
    """Requests by their key, which is a hash."""

    async def begin(self, key: bytes, person: bytes, request: bytes) -> Begun | None:
        """Begin a request. If it was begun before, only return what is known of it."""

    async def begin_anew(self, key: bytes, begun_at: datetime) -> bool:
        """Begin a request again that was begun at this time, and is not done.

        Return False if somebody else has done so, or it is done.
        """

    async def promise(self, key: bytes, proof: str, answer: bytes) -> None:
        """Say what will show that the request was carried out, and what the answer will be."""

    async def finish(self, key: bytes, answer: bytes) -> None:
        """Keep the answer of a request that is done."""

    async def forget(self, key: bytes) -> None:
        """Forget a request that has changed nothing."""
