"""Rates of one connection, at every door: how much it may ask for in a given time."""

import asyncio
import math
from collections.abc import Callable

from crdt.budget import TokenBucket
from crdt.errors import Code, ProtocolError
from crdt.protocol import requests
from server.doors.limits import GatewayLimits

REFUSAL_SECONDS = 0.002

PAUSE_SECONDS = 1.0
"""Seconds that are longer than most browsers' round trip.

For so long, further updates may still be on their way.
"""


class ConnectionRates:
    """Rates of one connection: joins, updates, bytes of content and presence, each with its bucket.

    `clock`: monotonic seconds. Four rules:

    1. **A request that is answered is refused** (`rate_limited`), with the seconds to wait in the
       sentence. The client keeps it and tries again.
    2. **What builds on something refused is refused as well.** Updates are sent without waiting for
       earlier acks. After a refused one all are refused, for at least `PAUSE_SECONDS`. Otherwise a
       later one would be taken by chance, and be found to lack its past.
    3. **What cannot be refused without harm waits**, and with it whatever the connection sent
       behind it, down to TCP. These are updates that ask for no ack, because their sender would
       never know which one is missing. They are also the parts of an upload, because one missing
       part costs all. The rest, fetching and leaving, waits as well, in a bucket as large as that
       of updates.
    4. **A refusal takes a moment**, `REFUSAL_SECONDS`, in which nothing more is read. A client that
       does not listen to refusals gets few of them.
    """

    def __init__(self, limits: GatewayLimits, clock: Callable[[], float]) -> None:
        self._clock = clock
        now = clock()
        self._joins = TokenBucket(limits.joins, now)
        self._updates = TokenBucket(limits.updates, now)
        self._bytes = TokenBucket(limits.content_bytes, now)
        self._others = TokenBucket(limits.updates, now)
        self._presence = TokenBucket(limits.presence, now)
        self._refused_until = 0.0

    async def admit(self, request: requests.ClientRequest, *, answered: bool) -> None:
        """Let a request through, now or in its turn; raises ProtocolError(rate_limited)."""
        match request:
            case requests.Update(_, batch) if answered:
                await _refuse_unless(self._until_update(len(batch)), "changes")
            case requests.Update(_, content) | requests.Upload(_, _, _, content):
                await self._wait_for(self._updates, 1)
                await self._wait_for(self._bytes, len(content))
            case requests.Join():
                await _refuse_unless(self._joins.take(1, self._clock()), "documents joined")
            case requests.Broadcast(_, payload) if answered:
                now = self._clock()
                await _refuse_unless(self._presence.take(1, now) or self._bytes.take(len(payload), now), "messages")
            case requests.Broadcast(_, payload):
                await self._wait_for(self._presence, 1)
                await self._wait_for(self._bytes, len(payload))
            case requests.Presence() | requests.Authenticate():  # both are told to everybody else
                await _refuse_unless(self._presence.take(1, self._clock()), "cursors and names")
            case _:
                await self._wait_for(self._others, 1)

    def admit_update_now(self, size: int) -> bool:
        """Let through an update that is answered, if it may go now; if False, call `admit`."""
        return self._until_update(size) == 0

    def admit_presence_now(self) -> bool:
        """Let presence through, if it may go now; if False, call `admit`."""
        return self._presence.take(1, self._clock()) == 0

    def _until_update(self, size: int) -> float:
        """Take an update's share of the buckets.

        Return 0, or the seconds after which an update may be tried again.
        """
        now = self._clock()
        if now < self._refused_until:
            return self._refused_until - now
        seconds = self._updates.take(1, now) or self._bytes.take(size, now)
        if seconds == 0:
            return 0.0
        seconds = max(seconds, PAUSE_SECONDS)
        self._refused_until = now + seconds
        return seconds

    async def _wait_for(self, bucket: TokenBucket, amount: int) -> None:
        while (seconds := bucket.take(amount, self._clock())) > 0:  # noqa: ASYNC110 - once, but for a rounded second
            await asyncio.sleep(seconds)


async def _refuse_unless(seconds: float, what: str) -> None:
    """Refuse unless there is nothing to wait for."""
    if seconds > 0:
        await asyncio.sleep(REFUSAL_SECONDS)
        raise ProtocolError(
            Code.RATE_LIMITED,
            f"Too many {what} in too short a time. Keep it, and try again in {math.ceil(seconds)} s.",
        )
