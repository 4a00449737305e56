"""Requests that programs may repeat: with the same `Idempotency-Key` they are carried out once.

The answer is kept in the store for a day. The same key gets the same answer, also after a restart
and from another node. A refusal has changed nothing, so it is not kept: a repetition is tried.

A node may die while it carries a request out. So before an edit is written, the request promises
what will show that the edit is in the document: its last Yjs clock. A repetition looks there first.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from server.http.errors import KeyUsed
from server.http.operation import Asked
from server.store.answers_base import Answers

HEADER = "Idempotency-Key"
ABOUT = {HEADER: "a random text of 1 to 200 characters: with the same one a request is carried out once"}

BUSY = timedelta(minutes=1)
"""Time after which a request that has no answer counts as left by a node that died."""

_KEY = re.compile(r"[\x21-\x7e]{1,200}")

T = TypeVar("T", bound=Struct)


class Receipt:
    """One request that is being carried out."""

    def __init__(self, answers: Answers | None = None, key: bytes = b"") -> None:
        self._answers = answers
        self._key = key

    @property
    def secret(self) -> str | None:
        """A secret text that only this request has, or None for a request without a key."""
        return hashlib.sha256(b"secret" + self._key).hexdigest() if self._key else None

    async def promise(self, proof: str, answer: Struct) -> None:
        """Say what will show that the request was carried out. Call it before carrying it out."""
        if self._answers is not None:
            await self._answers.promise(self._key, proof, msgspec.json.encode(answer))


class Once:
    """Carries requests out once. `clock` returns the time in UTC."""

    def __init__(self, answers: Answers, clock: Callable[[], datetime]) -> None:
        self._answers = answers
        self._clock = clock

    async def run(
        self,
        asked: Asked,
        form: type[T],
        said: object,
        act: Callable[[Receipt], Awaitable[T]],
        find: Callable[[str, T], Awaitable[T | None]] | None = None,
    ) -> T:
        """Carry a request out, or return its answer if it was carried out before.

        `said`: what the request says, beside its address. `find` takes what was promised, and
        returns the answer if the request was carried out. Raises what `act` raises, KeyUsed, and
        Unavailable while the same request is being carried out.
        """
        given = asked.request.headers.get(HEADER)
        if given is None:
            return await act(Receipt())
        if _KEY.fullmatch(given) is None:
            raise ProtocolError(Code.MALFORMED, f"{HEADER} must be 1 to 200 printable characters of ASCII.")
        person, request = _hash(_person(asked)), _hash(f"{asked.request.method} {asked.request.url.path} {said!r}")
        key = _hash(person.hex(), given.encode())
        begun = await self._answers.begin(key, person, request)
        if begun is not None:
            if begun.request != request:
                raise KeyUsed
            if begun.is_done:
                return msgspec.json.decode(begun.answer, type=form)
            if begun.proof and find is not None:
                found = await find(begun.proof, msgspec.json.decode(begun.answer, type=form))
                if found is not None:
                    await self._answers.finish(key, msgspec.json.encode(found))
                    return found
            is_left = self._clock() - begun.begun_at >= BUSY
            if not is_left or not await self._answers.begin_anew(key, begun.begun_at):
                raise Unavailable("The same request is being carried out.")
        return await self._carry_out(key, act)

    async def _carry_out(self, key: bytes, act: Callable[[Receipt], Awaitable[T]]) -> T:
        try:
            answer = await act(Receipt(self._answers, key))
        except ManyhandsError:
            await self._answers.forget(key)
            raise
        await self._answers.finish(key, msgspec.json.encode(answer))
        return answer


def _person(asked: Asked) -> str:
    """Return who asks. Whoever will not be known again is known by their address."""
    if asked.identity.lasting:
        return f"user {asked.identity.user.user_id}"
    return f"address {asked.request.client.host if asked.request.client is not None else ''}"


def _hash(words: str, more: bytes = b"") -> bytes:
    return hashlib.sha256(words.encode(errors="surrogatepass") + b"\0" + more).digest()
